#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "chain/result.h"
#include "chain/types.h"
#include "consensus/log_store.h"
#include "consensus/types.h"

namespace eventchain::consensus {

// Asked before an entry is let into the log (the body gate): a voter acknowledges an entry only
// when it holds everything the entry rests on. Must be answerable at any time, any number of times.
class Admission {
 public:
  virtual ~Admission() = default;
  enum class Answer : std::uint8_t { kYes, kNotYet };
  // Called for kCommand entries only, in log order. Earlier entries may still be unapplied here;
  // an entry whose context is not applied yet is kNotYet. `maker`: who proposed it, where that is
  // certain: whoever sent it, if the entry is of the sender's own term.
  virtual Answer admit(LogIndex index, const Entry& entry, std::optional<ServerId> maker) = 0;
  // The state machine can jump to this snapshot now (it holds the chain up to it).
  virtual Answer admit_snapshot(const Snapshot& snapshot) = 0;
};

// The replicated state machine. Called inside replica calls; must not call back.
class StateMachine {
 public:
  virtual ~StateMachine() = default;
  // Each committed entry once, in order; every kind, so that the applied index can be stored.
  virtual void apply(LogIndex index, const Entry& entry) = 0;
  virtual Bytes take_snapshot() = 0;
  virtual void restore(const Snapshot& snapshot) = 0;
};

struct ReplicaOptions {
  ServerId self;
  std::uint64_t seed = 0;  // of the election timer
  std::chrono::milliseconds election_timeout{1000};
  std::chrono::milliseconds heartbeat_interval{100};
  std::uint64_t snapshot_every = 4096;     // applied entries between snapshots
  std::uint64_t snapshot_trailing = 2048;  // entries kept behind one
};

// One Raft server: the core library behind its ingress rules (R1-R4), the body gate, and the order
// persist -> send -> apply. Deterministic: time and seed are handed in. Owned by the node's core;
// one caller at a time, never re-entered. Every call belongs to the node's current turn; messages
// taken may leave only after that turn's transaction is durable.
class Replica {
 public:
  // `bootstrap` is used only when the store is empty: it becomes entry 1 of every first voter.
  // `applied`: last log index the state machine has applied durably (0 if none).
  Replica(const ReplicaOptions& options, LogStore& store, Admission& admission,
          StateMachine& machine, const Configuration& bootstrap, LogIndex applied);
  ~Replica();

  void start(const chain::Now& now);
  // Foreign and untrusted in content; `from` is authenticated by the transport. Malformed messages
  // are dropped and counted.
  void receive(const Envelope& envelope, const chain::Now& now);
  void tick(const chain::Now& now);  // when next_deadline() has passed
  // The link to `server` is gone. If it led, this one stands for election much sooner than after an
  // election timeout, unless the leader is heard again; whoever still hears it refuses the vote.
  void link_lost(ServerId server, const chain::Now& now);
  // Asks the gate again for what it held back. Call when bodies have arrived.
  void reconsider(const chain::Now& now);

  // kUnavailable unless is_ready().
  chain::Result<LogIndex> propose(Bytes payload, const chain::Now& now);
  // Exactly one server added, removed or given another suffrage, and not the leader itself.
  chain::Result<void> change(const Configuration& wanted, const chain::Now& now);
  chain::Result<void> transfer(ServerId to, const chain::Now& now);

  std::vector<Envelope> take_messages();

  [[nodiscard]] Role role() const;
  [[nodiscard]] Term term() const;
  [[nodiscard]] HardState hard_state() const;
  [[nodiscard]] std::optional<ServerId> leader() const;  // as known here; self if leader
  // Leader with an entry of its own term committed (rule R4): may propose, change and read.
  [[nodiscard]] bool is_ready() const;
  [[nodiscard]] LogIndex last_index() const;
  [[nodiscard]] LogIndex commit_index() const;
  [[nodiscard]] LogIndex applied_index() const;
  [[nodiscard]] const Configuration& configuration() const;  // newest in the log
  // Whether the newest one in the log is not committed yet.
  [[nodiscard]] bool is_changing() const;
  // Whether the server is in a configuration that may be in force: the committed one, any in the
  // log behind it, or that of the leader's that is followed.
  [[nodiscard]] bool knows(ServerId id) const;
  // Highest entry known to be stored by a server; nullopt unless this one leads and knows it.
  [[nodiscard]] std::optional<LogIndex> match_index(ServerId id) const;
  [[nodiscard]] chain::Instant next_deadline() const;
  // Entries held back by the gate just now, oldest first: what the node should fetch bodies for.
  [[nodiscard]] std::vector<Entry> held_back() const;
  [[nodiscard]] std::optional<Snapshot> held_back_snapshot() const;

  struct Counters {
    std::uint64_t elections = 0, malformed = 0, trimmed = 0, split = 0, stale_rejections = 0,
                  gated = 0, snapshots = 0, snapshots_installed = 0;
  };
  [[nodiscard]] const Counters& counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace eventchain::consensus
