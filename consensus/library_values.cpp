#include "consensus/library_values.h"

#include <cstring>

#include "chain/result.h"

namespace eventchain::consensus::library {

namespace {

int to_role(Suffrage suffrage) {
  switch (suffrage) {
    case Suffrage::kVoter:
      return RAFT_VOTER;
    case Suffrage::kStandby:
      return RAFT_STANDBY;
    case Suffrage::kSpare:
      return RAFT_SPARE;
  }
  return RAFT_SPARE;
}

raft_buffer to_buffer(const Bytes& bytes) {
  raft_buffer buffer{allocate(bytes.size()), bytes.size()};
  std::memcpy(buffer.base, bytes.data(), bytes.size());
  return buffer;
}

}  // namespace

void* allocate(std::size_t size) {
  void* memory = raft_malloc(size + 1);
  EC_ASSERT(memory != nullptr, "out of memory in the Raft core");
  return memory;
}

Bytes to_bytes(const raft_buffer& buffer) {
  return Bytes(static_cast<const char*>(buffer.base), buffer.len);
}

EntryArray::EntryArray(const std::vector<Entry>& entries) {
  if (entries.empty()) return;
  std::size_t size = 0;
  for (const auto& entry : entries) size += entry.payload.size();
  batch = allocate(size);
  char* cursor = static_cast<char*>(batch);
  for (const auto& entry : entries) {
    raft_entry item{};
    item.term = entry.term.value;
    item.type = static_cast<raft_entry_type>(entry.kind);
    item.buf = {cursor, entry.payload.size()};
    item.batch = batch;
    std::memcpy(cursor, entry.payload.data(), entry.payload.size());
    cursor += entry.payload.size();
    items.push_back(item);
  }
}

raft_configuration to_library(const Configuration& configuration) {
  raft_configuration result;
  raft_configuration_init(&result);
  for (const auto& server : configuration) {
    const int rv =
        raft_configuration_add(&result, server.id.value, std::to_string(server.id.value).c_str(),
                               to_role(server.suffrage));
    EC_ASSERT(rv == 0, "the library refused a well-formed configuration");
  }
  return result;
}

Configuration from_library(const raft_configuration& configuration) {
  Configuration result;
  for (unsigned i = 0; i < configuration.n; ++i) {
    const raft_server& server = configuration.servers[i];
    Suffrage suffrage = Suffrage::kSpare;
    if (server.role == RAFT_VOTER) suffrage = Suffrage::kVoter;
    if (server.role == RAFT_STANDBY) suffrage = Suffrage::kStandby;
    result.push_back({ServerId{server.id}, suffrage});
  }
  return result;
}

raft_snapshot_metadata to_library(const SnapshotMeta& meta) {
  raft_snapshot_metadata result{};
  result.index = meta.index.value;
  result.term = meta.term.value;
  result.configuration = to_library(meta.configuration);
  result.configuration_index = meta.configuration_index.value;
  return result;
}

RaftMessage from_library(const raft_message& message) {
  switch (message.type) {
    case RAFT_REQUEST_VOTE: {
      const auto& m = message.request_vote;
      return RequestVote{m.version,
                         Term{m.term},
                         ServerId{m.candidate_id},
                         LogIndex{m.last_log_index},
                         Term{m.last_log_term},
                         m.disrupt_leader,
                         m.pre_vote};
    }
    case RAFT_REQUEST_VOTE_RESULT: {
      const auto& m = message.request_vote_result;
      return RequestVoteResult{m.version,  Term{m.term}, m.vote_granted,
                               m.pre_vote, m.features,   m.capacity};
    }
    case RAFT_APPEND_ENTRIES: {
      const auto& m = message.append_entries;
      return AppendEntries{m.version,
                           Term{m.term},
                           LogIndex{m.prev_log_index},
                           Term{m.prev_log_term},
                           LogIndex{m.leader_commit},
                           {}};
    }
    case RAFT_APPEND_ENTRIES_RESULT: {
      const auto& m = message.append_entries_result;
      return AppendEntriesResult{
          m.version,  Term{m.term}, LogIndex{m.rejected}, LogIndex{m.last_log_index},
          m.features, m.capacity};
    }
    case RAFT_INSTALL_SNAPSHOT: {
      const auto& m = message.install_snapshot;
      InstallSnapshot result{m.version, Term{m.term}, {}};
      result.snapshot.meta.index = LogIndex{m.last_index};
      result.snapshot.meta.term = Term{m.last_term};
      return result;
    }
    case RAFT_TIMEOUT_NOW: {
      const auto& m = message.timeout_now;
      return TimeoutNow{m.version, Term{m.term}, LogIndex{m.last_log_index}, Term{m.last_log_term}};
    }
  }
  EC_ASSERT(false, "the library sent a message of unknown type");
  return TimeoutNow{};
}

void fill(raft_message& message, EntryArray& entries, const RaftMessage& from) {
  if (const auto* vote = std::get_if<RequestVote>(&from)) {
    message.type = RAFT_REQUEST_VOTE;
    message.request_vote = {vote->version,
                            vote->term.value,
                            vote->candidate.value,
                            vote->last_log_index.value,
                            vote->last_log_term.value,
                            vote->disrupt_leader,
                            vote->pre_vote};
  } else if (const auto* granted = std::get_if<RequestVoteResult>(&from)) {
    message.type = RAFT_REQUEST_VOTE_RESULT;
    message.request_vote_result = {granted->version,  granted->term.value, granted->granted,
                                   granted->pre_vote, granted->features,   granted->capacity};
  } else if (const auto* append = std::get_if<AppendEntries>(&from)) {
    message.type = RAFT_APPEND_ENTRIES;
    message.append_entries = {
        append->version,         append->term.value,          append->prev_index.value,
        append->prev_term.value, append->leader_commit.value, entries.items.data(),
        entries.size()};
  } else if (const auto* result = std::get_if<AppendEntriesResult>(&from)) {
    message.type = RAFT_APPEND_ENTRIES_RESULT;
    message.append_entries_result = {result->version,        result->term.value,
                                     result->rejected.value, result->last_log_index.value,
                                     result->features,       result->capacity};
  } else if (const auto* install = std::get_if<InstallSnapshot>(&from)) {
    message.type = RAFT_INSTALL_SNAPSHOT;
    const SnapshotMeta& meta = install->snapshot.meta;
    message.install_snapshot = {install->version,
                                install->term.value,
                                meta.index.value,
                                meta.term.value,
                                to_library(meta.configuration),
                                meta.configuration_index.value,
                                to_buffer(install->snapshot.bytes)};
  } else if (const auto* now = std::get_if<TimeoutNow>(&from)) {
    message.type = RAFT_TIMEOUT_NOW;
    message.timeout_now = {now->version, now->term.value, now->last_log_index.value,
                           now->last_log_term.value};
  }
}

}  // namespace eventchain::consensus::library
