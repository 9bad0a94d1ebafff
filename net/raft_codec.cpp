#include "net/raft_codec.h"

#include <limits>
#include <utility>

#include "chain/encoding.h"
#include "net/field_check.h"
#include "net/limits.h"

namespace eventchain::net {

using consensus::AppendEntries;
using consensus::AppendEntriesResult;
using consensus::Envelope;
using consensus::InstallSnapshot;
using consensus::LogIndex;
using consensus::RaftMessage;
using consensus::RequestVote;
using consensus::RequestVoteResult;
using consensus::ServerId;
using consensus::Suffrage;
using consensus::Term;
using consensus::TimeoutNow;

namespace {

constexpr std::size_t kServerBytes = 9;

void encode_into(const RequestVote& from, wire::Raft& raft) {
  wire::RequestVote& into = *raft.mutable_request_vote();
  into.set_version(from.version);
  into.set_term(from.term.value);
  into.set_candidate(from.candidate.value);
  into.set_last_log_index(from.last_log_index.value);
  into.set_last_log_term(from.last_log_term.value);
  into.set_disrupt_leader(from.disrupt_leader);
  into.set_pre_vote(from.pre_vote);
}

void encode_into(const RequestVoteResult& from, wire::Raft& raft) {
  wire::RequestVoteResult& into = *raft.mutable_request_vote_result();
  into.set_version(from.version);
  into.set_term(from.term.value);
  into.set_granted(from.granted);
  into.set_pre_vote(from.pre_vote);
  into.set_features(from.features);
  into.set_capacity(from.capacity);
}

void encode_into(const AppendEntries& from, wire::Raft& raft) {
  wire::AppendEntries& into = *raft.mutable_append_entries();
  into.set_version(from.version);
  into.set_term(from.term.value);
  into.set_prev_index(from.prev_index.value);
  into.set_prev_term(from.prev_term.value);
  into.set_leader_commit(from.leader_commit.value);
  for (const consensus::Entry& entry : from.entries) {
    wire::LogEntry& item = *into.add_entries();
    item.set_term(entry.term.value);
    item.set_kind(static_cast<std::uint32_t>(entry.kind));
    item.set_payload(entry.payload);
  }
}

void encode_into(const AppendEntriesResult& from, wire::Raft& raft) {
  wire::AppendEntriesResult& into = *raft.mutable_append_entries_result();
  into.set_version(from.version);
  into.set_term(from.term.value);
  into.set_rejected(from.rejected.value);
  into.set_last_log_index(from.last_log_index.value);
  into.set_features(from.features);
  into.set_capacity(from.capacity);
}

void encode_into(const InstallSnapshot& from, wire::Raft& raft) {
  wire::InstallSnapshot& into = *raft.mutable_install_snapshot();
  const consensus::SnapshotMeta& meta = from.snapshot.meta;
  chain::Writer servers(meta.configuration.size() * kServerBytes);
  for (const consensus::Server& server : meta.configuration)
    servers.u64(server.id.value).u8(static_cast<std::uint8_t>(server.suffrage));
  into.set_version(from.version);
  into.set_term(from.term.value);
  into.set_last_index(meta.index.value);
  into.set_last_term(meta.term.value);
  into.set_configuration(servers.take());
  into.set_configuration_index(meta.configuration_index.value);
  into.set_snapshot(from.snapshot.bytes);
}

void encode_into(const TimeoutNow& from, wire::Raft& raft) {
  wire::TimeoutNow& into = *raft.mutable_timeout_now();
  into.set_version(from.version);
  into.set_term(from.term.value);
  into.set_last_log_index(from.last_log_index.value);
  into.set_last_log_term(from.last_log_term.value);
}

constexpr const char* kNotZero = "must not be 0";
constexpr const char* kZeroTogether = "must be 0 if and only if its log index is";

// A whole decoded message, or what was wrong with it.
template <class T>
chain::Result<RaftMessage> checked(FieldCheck& check, T message) {
  if (!check.ok()) return tl::unexpected(check.take_error());
  return RaftMessage(std::move(message));
}

chain::Result<RaftMessage> decode_from(const wire::RequestVote& from) {
  FieldCheck check("request_vote");
  RequestVote message;
  message.version = check.narrow<std::uint8_t>(from.version(), "version");
  message.term = Term{from.term()};
  message.candidate = ServerId{from.candidate()};
  message.last_log_index = LogIndex{from.last_log_index()};
  message.last_log_term = Term{from.last_log_term()};
  message.disrupt_leader = from.disrupt_leader();
  message.pre_vote = from.pre_vote();
  check.require(from.term() != 0, "term", kNotZero);
  check.require(from.candidate() != 0, "candidate", kNotZero);
  check.require((from.last_log_index() == 0) == (from.last_log_term() == 0), "last_log_term",
                kZeroTogether);
  return checked(check, message);
}

chain::Result<RaftMessage> decode_from(const wire::RequestVoteResult& from) {
  FieldCheck check("request_vote_result");
  RequestVoteResult message;
  message.version = check.narrow<std::uint8_t>(from.version(), "version");
  // Term 0 is legal here alone: a server that has never voted answers a pre-vote with it.
  message.term = Term{from.term()};
  message.granted = from.granted();
  message.pre_vote = from.pre_vote();
  message.features = check.narrow<std::uint16_t>(from.features(), "features");
  message.capacity = check.narrow<std::uint16_t>(from.capacity(), "capacity");
  return checked(check, message);
}

chain::Result<RaftMessage> decode_from(wire::AppendEntries& from) {
  FieldCheck check("append_entries");
  AppendEntries message;
  message.version = check.narrow<std::uint8_t>(from.version(), "version");
  message.term = Term{from.term()};
  message.prev_index = LogIndex{from.prev_index()};
  message.prev_term = Term{from.prev_term()};
  message.leader_commit = LogIndex{from.leader_commit()};
  check.require(from.term() != 0, "term", kNotZero);
  check.require((from.prev_index() == 0) == (from.prev_term() == 0), "prev_term", kZeroTogether);
  const auto count = static_cast<std::size_t>(from.entries_size());
  check.limit(count <= limits::kRaftEntriesMax, "entries", "too many");
  check.require(from.prev_index() <= std::numeric_limits<std::uint64_t>::max() - count,
                "prev_index", "leaves no room for the entries");
  message.entries.reserve(count);
  std::uint64_t term_before = from.prev_term();
  for (wire::LogEntry& item : *from.mutable_entries()) {
    check.require(item.term() != 0, "entries.term", kNotZero);
    check.require(item.term() >= term_before && item.term() <= from.term(), "entries.term",
                  "must ascend and not be above the message's");
    check.require(item.kind() >= 1 && item.kind() <= 3, "entries.kind", "is unknown");
    term_before = item.term();
    message.entries.push_back({Term{item.term()}, static_cast<consensus::EntryKind>(item.kind()),
                               std::move(*item.mutable_payload())});
  }
  return checked(check, std::move(message));
}

chain::Result<RaftMessage> decode_from(const wire::AppendEntriesResult& from) {
  FieldCheck check("append_entries_result");
  AppendEntriesResult message;
  message.version = check.narrow<std::uint8_t>(from.version(), "version");
  message.term = Term{from.term()};
  message.rejected = LogIndex{from.rejected()};
  message.last_log_index = LogIndex{from.last_log_index()};
  message.features = check.narrow<std::uint16_t>(from.features(), "features");
  message.capacity = check.narrow<std::uint16_t>(from.capacity(), "capacity");
  check.require(from.term() != 0, "term", kNotZero);
  return checked(check, message);
}

consensus::Configuration decode_servers(const std::string& bytes, FieldCheck& check) {
  consensus::Configuration servers;
  check.require(!bytes.empty() && bytes.size() % kServerBytes == 0, "configuration",
                "must be 9 octets for each server, at least one");
  check.limit(bytes.size() / kServerBytes <= limits::kRaftServersMax, "configuration", "too many");
  if (!check.ok()) return servers;
  chain::Reader reader(bytes);
  std::uint64_t id_before = 0;
  while (reader.remaining() > 0) {
    const std::uint64_t id = reader.u64();
    const std::uint8_t suffrage = reader.u8();
    check.require(id > id_before, "configuration", "ids must ascend from 1");
    check.require(suffrage <= static_cast<std::uint8_t>(Suffrage::kSpare), "configuration",
                  "unknown suffrage");
    id_before = id;
    servers.push_back({ServerId{id}, static_cast<Suffrage>(suffrage)});
  }
  return servers;
}

chain::Result<RaftMessage> decode_from(wire::InstallSnapshot& from) {
  FieldCheck check("install_snapshot");
  InstallSnapshot message;
  consensus::SnapshotMeta& meta = message.snapshot.meta;
  message.version = check.narrow<std::uint8_t>(from.version(), "version");
  message.term = Term{from.term()};
  meta.index = LogIndex{from.last_index()};
  meta.term = Term{from.last_term()};
  meta.configuration = decode_servers(from.configuration(), check);
  meta.configuration_index = LogIndex{from.configuration_index()};
  message.snapshot.bytes = std::move(*from.mutable_snapshot());
  check.require(from.term() != 0, "term", kNotZero);
  check.require(from.last_index() != 0, "last_index", kNotZero);
  check.require(from.last_term() != 0 && from.last_term() <= from.term(), "last_term",
                "must be from 1 to the message's term");
  check.require(from.configuration_index() != 0 && from.configuration_index() <= from.last_index(),
                "configuration_index", "must be from 1 to last_index");
  return checked(check, std::move(message));
}

chain::Result<RaftMessage> decode_from(const wire::TimeoutNow& from) {
  FieldCheck check("timeout_now");
  TimeoutNow message;
  message.version = check.narrow<std::uint8_t>(from.version(), "version");
  message.term = Term{from.term()};
  message.last_log_index = LogIndex{from.last_log_index()};
  message.last_log_term = Term{from.last_log_term()};
  check.require(from.term() != 0, "term", kNotZero);
  check.require((from.last_log_index() == 0) == (from.last_log_term() == 0), "last_log_term",
                kZeroTogether);
  return checked(check, message);
}

chain::Result<RaftMessage> decode_message(wire::Raft& from) {
  switch (from.message_case()) {
    case wire::Raft::kRequestVote:
      return decode_from(from.request_vote());
    case wire::Raft::kRequestVoteResult:
      return decode_from(from.request_vote_result());
    case wire::Raft::kAppendEntries:
      return decode_from(*from.mutable_append_entries());
    case wire::Raft::kAppendEntriesResult:
      return decode_from(from.append_entries_result());
    case wire::Raft::kInstallSnapshot:
      return decode_from(*from.mutable_install_snapshot());
    case wire::Raft::kTimeoutNow:
      return decode_from(from.timeout_now());
    case wire::Raft::MESSAGE_NOT_SET:
      break;
  }
  return chain::fail(chain::ErrorCode::kMalformed,
                     "raft.message: missing or of an unknown kind; both nodes must run this "
                     "protocol version");
}

}  // namespace

void encode_raft(const Envelope& envelope, wire::Raft& into) {
  into.set_from(envelope.from.value);
  into.set_to(envelope.to.value);
  std::visit([&into](const auto& message) { encode_into(message, into); }, envelope.message);
}

chain::Result<Envelope> decode_raft(wire::Raft from) {
  FieldCheck check("raft");
  check.require(from.from() != 0, "from", kNotZero);
  check.require(from.to() != 0, "to", kNotZero);
  check.require(from.from() != from.to(), "to", "must be another server");
  if (!check.ok()) return tl::unexpected(check.take_error());
  chain::Result<RaftMessage> message = decode_message(from);
  if (!message) return tl::unexpected(message.error());
  return Envelope{ServerId{from.from()}, ServerId{from.to()}, std::move(*message)};
}

}  // namespace eventchain::net
