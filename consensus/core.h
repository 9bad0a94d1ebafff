#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "consensus/log_store.h"
#include "consensus/types.h"

namespace eventchain::consensus {

// A message as the library leaves it: it keeps no payloads and no snapshots, so AppendEntries says
// only how many entries follow prev_index, and InstallSnapshot only which snapshot is meant.
struct Outgoing {
  Envelope envelope;
  std::uint64_t entry_count = 0;
};

// What must be done after one step, in this order: persist hard state, entries or snapshot; send;
// then report persisted() or snapshot_persisted(); then apply what is committed.
struct Update {
  struct Append {
    LogIndex from;  // whatever is stored at or after it is gone
    std::vector<Entry> entries;
  };
  std::optional<HardState> hard_state;
  std::optional<Append> append;
  std::optional<Snapshot> install;
  std::vector<Outgoing> messages;
};

// Raft itself: a C library's state machine under RAII. No I/O, no clock, no threads; time is handed
// in and the same inputs give the same updates. It is the only class that knows the library, and
// with it all rules of buffer ownership. Not re-entrant. Trusts its input: ingress.h and
// replica.cpp keep from it what the library cannot stand. A return code that means a broken
// invariant ends the process.
class Core {
 public:
  struct Options {
    ServerId self;
    std::uint64_t seed = 0;
    std::chrono::milliseconds election_timeout{1000};
    std::chrono::milliseconds heartbeat_interval{100};
  };

  explicit Core(const Options& options);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // Once, before anything else. Entries up to `applied` are known to be committed.
  Update start(const LogStore::Loaded& loaded, LogIndex applied, chain::Instant now);
  Update receive(const Envelope& envelope, chain::Instant now);
  Update timeout(chain::Instant now);
  // The leader's link is gone, which is less than its silence for an election timeout and much more
  // than nothing. A follower forgets this leader and stands for election soon, in a part of the
  // timeout that other voters hardly draw as well; the leader's next message makes it a follower as
  // before. Without effect on anybody else's leader: the pre-vote still has to be won.
  void leader_lost(chain::Instant now);
  // Everything up to `index` is stored. pre: the last update appended up to here.
  Update persisted(LogIndex index, chain::Instant now);
  // pre: the last update asked to install it.
  Update snapshot_persisted(const SnapshotMeta& meta, chain::Instant now);
  Update snapshot_taken(const SnapshotMeta& meta, std::uint64_t trailing, chain::Instant now);
  // The entry at `index`, of kind kChange, is committed.
  Update configuration_committed(LogIndex index, const Configuration& configuration,
                                 chain::Instant now);
  // pre: leader, no transfer running; for kChange no other change uncommitted.
  Update submit(EntryKind kind, const Bytes& payload, chain::Instant now);
  // pre: leader, no transfer running, `to` is another voter.
  Update transfer(ServerId to, chain::Instant now);

  [[nodiscard]] Role role() const;
  [[nodiscard]] HardState hard_state() const;
  [[nodiscard]] std::optional<ServerId> leader() const;
  [[nodiscard]] LogIndex commit_index() const;
  [[nodiscard]] LogIndex last_index() const;
  // 0 if the entry is not in the log and is not the snapshot's last.
  [[nodiscard]] Term term_of(LogIndex index) const;
  // Highest entry known to be stored by a server; nullopt unless leader and `id` is a server.
  [[nodiscard]] std::optional<LogIndex> match_index(ServerId id) const;
  [[nodiscard]] bool is_transferring() const;
  [[nodiscard]] chain::Instant deadline() const;

 private:
  struct Library;
  static void answer_outdated(const RaftMessage& to, Term term, Update& update);

  std::unique_ptr<Library> library_;
};

}  // namespace eventchain::consensus
