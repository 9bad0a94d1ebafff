#pragma once

#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "chain/rng.h"
#include "consensus/invariants.h"
#include "consensus/memory_log_store.h"
#include "consensus/replica.h"

// A whole Raft cluster in one thread and in virtual time: replicas with in-memory stores, a network
// with a will of its own, crashes that lose the open turn, and an oracle that compares what the
// servers apply. Shared by the directed stories and the random simulation.
namespace eventchain::consensus::testing {

using std::chrono::milliseconds;

inline ServerId server(std::uint64_t id) {
  return ServerId{id};
}
Configuration voters(std::uint64_t count);

// State-machine safety: one entry per index, whoever applies it and whenever.
class Oracle {
 public:
  void applied(ServerId by, LogIndex index, const Entry& entry);
  void restored(ServerId by, LogIndex index, std::uint64_t digest);
  [[nodiscard]] std::uint64_t digest_at(LogIndex index) const;
  [[nodiscard]] std::uint64_t length() const { return entries_.size(); }
  [[nodiscard]] bool contains(const Bytes& payload) const { return commands_.count(payload) > 0; }

  std::vector<std::string> violations;
  std::function<void(const Entry&)> on_first_apply;

 private:
  std::vector<Entry> entries_;
  std::vector<std::uint64_t> digests_;
  std::set<Bytes> commands_;
};

// Its whole state is a running digest, durable with the turn.
class TestMachine final : public StateMachine {
 public:
  TestMachine(ServerId id, Oracle& oracle) : id_(id), oracle_(oracle) {}
  void commit();
  void rollback();
  [[nodiscard]] LogIndex applied() const { return state_.applied; }

  void apply(LogIndex index, const Entry& entry) override;
  Bytes take_snapshot() override;
  void restore(const Snapshot& snapshot) override;

 private:
  struct State {
    LogIndex applied;
    std::uint64_t digest = 0;
  };
  ServerId id_;
  Oracle& oracle_;
  State state_, durable_;
  std::vector<std::function<void()>> reports_;  // to the oracle, once the turn is durable
};

// A body is named by the payload of its entry.
struct TestAdmission final : Admission {
  bool is_open = true;  // lets everything in
  bool takes_snapshots = true;
  std::set<Bytes> bodies;
  Answer admit(LogIndex, const Entry& entry, std::optional<ServerId>) override {
    return is_open || bodies.count(entry.payload) > 0 ? Answer::kYes : Answer::kNotYet;
  }
  Answer admit_snapshot(const Snapshot&) override {
    return takes_snapshots ? Answer::kYes : Answer::kNotYet;
  }
};

struct ClusterOptions {
  std::uint64_t voters = 3;
  std::uint64_t spectators = 0;  // servers outside the first configuration, ids after the voters
  std::uint64_t seed = 1;
  milliseconds election_timeout{200};
  milliseconds heartbeat_interval{40};
  std::uint64_t snapshot_every = 1'000'000;
  std::uint64_t snapshot_trailing = 5;
  bool is_gated = false;
  // The network: each message takes a time from [latency_min, latency_max].
  milliseconds latency_min{1}, latency_max{1};
  std::uint32_t drop_percent = 0, duplicate_percent = 0;
  bool is_fifo = true;
};

class Cluster {
 public:
  struct Node {
    ServerId id;
    MemoryLogStore store;
    TestAdmission admission;
    TestMachine machine;
    std::unique_ptr<Replica> replica;  // null while down
    std::optional<ServerView> seen;
    bool is_same_run = false;
    bool loses_next_turn = false;

    Node(ServerId name, Oracle& oracle) : id(name), machine(name, oracle) {}
  };

  explicit Cluster(const ClusterOptions& options);

  void start(ServerId id);
  void start_all();
  void crash(ServerId id);
  // One turn of a server: all of it becomes durable and its messages leave, or none of it.
  void turn(ServerId id, const std::function<void(Replica&, const chain::Now&)>& input);
  void deliver(const Envelope& envelope);

  chain::Result<LogIndex> propose(ServerId at, const Bytes& payload);
  void give_body(ServerId to, const Bytes& payload);

  void cut(ServerId a, ServerId b);  // both directions
  void isolate(ServerId id);
  void heal();
  std::set<std::pair<ServerId, ServerId>> cut_links;
  std::function<bool(const Envelope&)> drops;  // true: this message is lost

  void at(chain::Instant when, std::function<void()> action);
  void run_for(milliseconds duration);
  // False if it did not come true in time.
  bool run_until(const std::function<bool()>& condition, milliseconds limit = milliseconds(10000));

  [[nodiscard]] chain::Instant now() const { return now_; }
  [[nodiscard]] chain::Now time() const { return {now_, {}}; }
  [[nodiscard]] bool is_up(ServerId id) { return node(id).replica != nullptr; }
  Node& node(ServerId id) { return *nodes_.at(id); }
  Replica& replica(ServerId id);
  // A leader that is ready; of the newest term if several think so.
  [[nodiscard]] std::optional<ServerId> leader() const;
  ServerId elect();  // runs until there is one
  bool all_applied(LogIndex index);

  Oracle oracle;
  std::vector<std::string> violations();  // of all kinds
  [[nodiscard]] std::uint64_t trace_hash() const { return trace_; }
  [[nodiscard]] std::uint64_t elections() const { return elections_; }
  chain::Rng rng;
  ClusterOptions options;

 private:
  struct Event {
    chain::Instant when;
    std::uint64_t sequence;
    std::function<void()> action;
    bool operator>(const Event& other) const {
      return when != other.when ? when > other.when : sequence > other.sequence;
    }
  };

  void send(Envelope envelope);
  void observe(Node& node);
  bool step(chain::Instant until);

  std::map<ServerId, std::unique_ptr<Node>> nodes_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::map<std::pair<ServerId, ServerId>, chain::Instant> last_arrival_;
  LeaderHistory leaders_;
  std::vector<std::string> broken_;
  chain::Instant now_;
  std::uint64_t sequence_ = 0;
  std::uint64_t trace_ = 0xcbf29ce484222325ULL;
  std::uint64_t elections_ = 0;
};

}  // namespace eventchain::consensus::testing
