#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "chain/types.h"

// Raft's own words for Raft's own things, as plain values.
namespace eventchain::consensus {

using chain::Bytes;

// A server of the Raft configuration: the member's slot + 1 (Raft reserves 0).
using ServerId = chain::Strong<struct ServerIdTag, std::uint64_t>;
using Term = chain::Strong<struct TermTag, std::uint64_t>;          // 0: none yet
using LogIndex = chain::Strong<struct LogIndexTag, std::uint64_t>;  // 0: before the first entry

enum class Role : std::uint8_t { kFollower, kCandidate, kLeader };

enum class Suffrage : std::uint8_t {
  kVoter,
  kStandby,  // replicates the log, has no vote
  kSpare,    // neither
};

struct Server {
  ServerId id;
  Suffrage suffrage = Suffrage::kVoter;
  bool operator==(const Server&) const = default;
};
using Configuration = std::vector<Server>;  // sorted by id, distinct

enum class EntryKind : std::uint8_t {
  kCommand = 1,
  kBarrier = 2,  // no-op that a new leader commits first (rule R4)
  kChange = 3,   // payload: an encoded configuration
};

struct Entry {
  Term term;
  EntryKind kind = EntryKind::kCommand;
  Bytes payload;
  bool operator==(const Entry&) const = default;
};

struct HardState {
  Term term;
  ServerId voted_for;  // 0: nobody in this term
  bool operator==(const HardState&) const = default;
};

struct SnapshotMeta {
  LogIndex index;  // last entry it covers
  Term term;
  Configuration configuration;
  LogIndex configuration_index;
  bool operator==(const SnapshotMeta&) const = default;
};
struct Snapshot {
  SnapshotMeta meta;
  Bytes bytes;  // of the state machine
  bool operator==(const Snapshot&) const = default;
};

// Messages carry the library's version, features and capacity fields verbatim.
struct RequestVote {
  std::uint8_t version = 0;
  Term term;
  ServerId candidate;
  LogIndex last_log_index;
  Term last_log_term;
  bool disrupt_leader = false;
  bool pre_vote = false;
  bool operator==(const RequestVote&) const = default;
};
struct RequestVoteResult {
  std::uint8_t version = 0;
  Term term;
  bool granted = false;
  bool pre_vote = false;
  std::uint16_t features = 0;
  std::uint16_t capacity = 0;
  bool operator==(const RequestVoteResult&) const = default;
};
struct AppendEntries {
  std::uint8_t version = 0;
  Term term;
  LogIndex prev_index;
  Term prev_term;
  LogIndex leader_commit;
  std::vector<Entry> entries;
  bool operator==(const AppendEntries&) const = default;
};
struct AppendEntriesResult {
  std::uint8_t version = 0;
  Term term;
  LogIndex rejected;  // 0: accepted
  LogIndex last_log_index;
  std::uint16_t features = 0;
  std::uint16_t capacity = 0;
  bool operator==(const AppendEntriesResult&) const = default;
};
struct InstallSnapshot {
  std::uint8_t version = 0;
  Term term;
  Snapshot snapshot;
  bool operator==(const InstallSnapshot&) const = default;
};
struct TimeoutNow {
  std::uint8_t version = 0;
  Term term;
  LogIndex last_log_index;
  Term last_log_term;
  bool operator==(const TimeoutNow&) const = default;
};
using RaftMessage = std::variant<RequestVote, RequestVoteResult, AppendEntries, AppendEntriesResult,
                                 InstallSnapshot, TimeoutNow>;

struct Envelope {
  ServerId from;
  ServerId to;
  RaftMessage message;
  bool operator==(const Envelope&) const = default;
};

}  // namespace eventchain::consensus
