#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/checkers/chain_checker.h"
#include "tests/sim/checkers/light_checker.h"
#include "tests/sim/checkers/member_checker.h"
#include "tests/sim/checkers/promise_checker.h"
#include "tests/sim/checkers/raft_checker.h"
#include "tests/sim/checkers/read_checker.h"
#include "tests/sim/checkers/recovery_checker.h"
#include "tests/sim/checkers/work_checker.h"
#include "tests/sim/cluster_options.h"
#include "tests/sim/miner.h"
#include "tests/sim/mouth.h"
#include "tests/sim/onlooker.h"
#include "tests/sim/roster.h"
#include "tests/sim/signing.h"
#include "tests/sim/sparse_mesh.h"

namespace eventchain::sim {

// A whole cluster in one thread and in virtual time, with a checker behind every commit. Tests,
// scenarios and the seeded simulation all drive this one class. A broken invariant throws
// Violation out of whatever runs the scheduler.
class Cluster : private HostWatcher, private Network::Receiver {
 public:
  // nullopt: the node died before it answered.
  using Answered = std::function<void(const std::optional<node::Answer>&)>;

  explicit Cluster(const ClusterOptions& options, bool prints = false);
  ~Cluster() override;

  // --- time ---------------------------------------------------------------------------------
  void run_for(Span span);
  // False if it did not become true in time. Looked at every few milliseconds.
  bool run_until(const std::function<bool()>& is_true, Span limit);

  // A demand was met, or not, after this part of the time that it was given.
  void waited(Span span, Span limit);
  [[nodiscard]] std::uint64_t waited_permille() const { return waited_permille_; }  // at most

  // --- faults -------------------------------------------------------------------------------
  // Nothing happens if it runs already, or was removed and knows it. Whoever is invited as a light
  // member by its first start is one for ever.
  void start(std::size_t node);
  // As start(), but not for the first time unless it is a member. A machine that was removed while
  // it was off starts its node, too: nobody told it.
  void revive(std::size_t node);
  void start_genesis();
  void kill(std::size_t node) { host(node).kill(); }
  // Its disk is gone as well, and the cluster must not run any further: to see what that took.
  void scrap(std::size_t node) { hosts_[node].reset(); }
  // Cuts every link between two nodes of different groups; those not named form another group.
  void split(const std::vector<std::vector<std::size_t>>& groups);
  // Everything that a chaos did to machines and network ends; nodes that are down start.
  void heal(const std::vector<std::size_t>& nodes);
  void heal_members();
  // So full that intake must stop, until it starts again. Nothing happens if the node is down.
  void fill_disk(std::size_t node, bool is_full);
  // Told that it is to be stopped soon, or not any more. Nothing happens if the node is down.
  void drain(std::size_t node, bool wants);

  // --- programs (cluster_programs.cpp) ------------------------------------------------------
  // The feature level that the host's program can do.
  [[nodiscard]] std::uint16_t program(std::size_t node) const;
  // Another version of the program; a node that runs is started anew with it.
  void install(std::size_t node, std::uint16_t level);
  void upgrade_all();
  // It has ended because its program is too old.
  [[nodiscard]] bool is_outdated(std::size_t node) const { return is_outdated_[node]; }

  // --- clients (cluster_clients.cpp) --------------------------------------------------------
  chain::HeldEvent make_event(const chain::Bytes& body);
  // Nothing happens if the node is down: the callback says so at once.
  void submit(std::size_t node, std::vector<chain::HeldEvent> events, node::WaitFor wait,
              Span timeout, Answered done);

  // A linearizable read: true once the node may answer, false if it gave up, nullopt if it died.
  using ReadDone = std::function<void(std::optional<bool>)>;
  void read(std::size_t node, Span timeout, ReadDone done);

  using OrderDone = std::function<void(const std::optional<node::OrderAnswer>&)>;
  void order(std::size_t node, net::Order order, Span timeout, OrderDone done);
  // The nodes that owe somebody an answer and could give it.
  [[nodiscard]] std::set<std::size_t> open_questions() const;

  // --- who lies (cluster_liar.cpp) ----------------------------------------------------------
  // nullopt: everybody's word is good.
  [[nodiscard]] std::optional<std::size_t> liar() const;
  // The hosts below are honest.
  [[nodiscard]] std::size_t honest() const { return size() - (options_.has_liar ? 1 : 0); }
  [[nodiscard]] std::vector<std::size_t> honest_members() const;
  // Whatever the liar's node says goes through `mouth`, which outlives the cluster or is taken away
  // with nullptr.
  void speak_through(Mouth* mouth) { mouth_ = mouth; }
  // The liar says this, if there is a link and the message can travel at all.
  void utter(std::size_t peer, const net::Message& message);

  // --- who belongs (cluster_members.cpp) ----------------------------------------------------
  // By the newest committed set.
  [[nodiscard]] std::vector<std::size_t> members() const;
  [[nodiscard]] std::vector<std::size_t> voters() const;
  [[nodiscard]] bool is_member(std::size_t node) const;
  [[nodiscard]] bool is_voter(std::size_t node) const;
  // It was removed, knows it, and has ended.
  [[nodiscard]] bool is_gone(std::size_t node) const { return is_gone_[node]; }
  // With these nodes alone everything goes on: they are a majority of the voters, and of the voters
  // before as long as Raft's configuration may still be theirs.
  [[nodiscard]] bool is_quorum(const std::vector<std::size_t>& nodes) const;
  // Somebody has the newest voters as Raft's configuration, and committed.
  [[nodiscard]] bool raft_follows() const;

  // --- what is ------------------------------------------------------------------------------
  [[nodiscard]] std::size_t size() const { return hosts_.size(); }
  [[nodiscard]] NodeHost& host(std::size_t node) { return *hosts_[node]; }
  [[nodiscard]] Miner& miner(std::size_t node) { return *miners_[node]; }
  [[nodiscard]] Network& network() { return network_; }
  [[nodiscard]] Scheduler& scheduler() { return scheduler_; }
  [[nodiscard]] Trace& trace() { return trace_; }
  [[nodiscard]] const ClusterOptions& options() const { return options_; }
  [[nodiscard]] const chain::Genesis& genesis() const { return genesis_; }
  [[nodiscard]] const Roster& roster() const { return roster_; }
  [[nodiscard]] const MemberChecker& membership() const { return membership_; }
  [[nodiscard]] const Registry& registry() const { return registry_; }
  [[nodiscard]] const ChainChecker& chain() const { return chain_; }
  [[nodiscard]] const PromiseChecker& promises() const { return promises_; }
  [[nodiscard]] const RaftChecker& raft() const { return raft_; }
  [[nodiscard]] const ReadChecker& reads() const { return read_checker_; }
  [[nodiscard]] const WorkChecker& work() const { return work_; }
  [[nodiscard]] const LightChecker& light() const { return light_; }
  [[nodiscard]] const HashedNonces& nonces() const { return nonces_; }
  [[nodiscard]] const SparseMesh* mesh() const { return mesh_; }  // nullptr: all to all
  [[nodiscard]] chain::Rng& rng() { return rng_; }
  // The node that leads and may propose, in the highest term; nullopt if none does.
  [[nodiscard]] std::optional<std::size_t> leader() const;
  // Of all pools the largest.
  [[nodiscard]] std::size_t pending_most() const;
  // All of these nodes live, stand at the newest block and have nothing pending; every promise is
  // kept.
  [[nodiscard]] bool is_settled(const std::vector<std::size_t>& nodes) const;
  // Why is_settled() is false, for people.
  [[nodiscard]] std::string describe() const;
  [[nodiscard]] std::vector<std::size_t> everybody() const;
  [[nodiscard]] std::uint64_t commits() const;
  // The independent verifier over every node's store.
  void verify();
  // `onlooker` outlives the cluster, or is told to look away with nullptr.
  void show_to(Onlooker* onlooker) { onlooker_ = onlooker; }

 private:
  struct Request {
    std::size_t node = 0;
    std::vector<chain::HeldEvent> events;
    node::WaitFor wait = node::WaitFor::kDurable;
    Intake intake;  // of the node when it was asked
    Answered done;
  };

  struct OpenOrder {
    std::size_t node = 0;
    net::Order order;
    OrderDone done;
  };

  struct Read {
    std::size_t node = 0;
    std::uint64_t floor = 0;
    ReadDone done;
  };

  void recovered(NodeHost& host) override;
  void committed(NodeHost& host) override;
  void committed_light(const NodeHost& host);
  void carry_out(NodeHost& host, node::Effect& effect) override;
  void died(NodeHost& host) override;
  void link_up(std::size_t at, std::size_t peer) override;
  void link_down(std::size_t at, std::size_t peer) override;
  void said(std::size_t at, std::size_t peer, net::Message message) override;

  // `open` is one of the maps of who waits.
  template <class Open>
  void expect_answer(const std::map<node::RequestId, Open>& open, node::RequestId id,
                     chain::Instant deadline, const char* what);
  void do_effect(NodeHost& host, node::Answer& answer);
  void do_effect(NodeHost& host, node::PendingAnswer& answer);
  void do_effect(NodeHost& host, node::ReadReady& ready);
  void do_effect(NodeHost& host, node::OrderAnswer& answer);
  void do_effect(NodeHost& host, node::Send& send);
  // I13: what a node signs it has applied, durably.
  void check_signatures(NodeHost& host, const net::Signatures& message);
  void demand_final(const NodeHost& host, chain::Height height);
  void do_effect(NodeHost& host, node::HangUp& hang_up);
  void do_effect(NodeHost& host, node::Mine& mine);
  void do_effect(NodeHost& host, node::StopMining& stop);
  void do_effect(NodeHost&, node::InHand&) {}  // told of RandomX only
  void do_effect(NodeHost& host, node::TipMoved& moved);
  void do_effect(NodeHost& host, node::MembersChanged& changed);
  void do_effect(NodeHost& host, node::Removed& removed);
  void do_effect(NodeHost& host, node::RolledBack& rolled_back);
  void do_effect(NodeHost& host, node::Outdated& outdated);
  void do_effect(NodeHost& host, node::WrongKind& wrong);
  void do_effect(NodeHost& host, node::Notice& notice);
  void do_effect(NodeHost& host, node::Evidence& evidence);
  [[nodiscard]] bool may_be_accused(const std::string& accusation) const;
  void maybe_upgrade(std::size_t node);
  void check_rise(const chain::Block& block) const;
  void check_program(const NodeHost& host) const;
  // I7, I2: what is committed or called durable lies on the disks of a majority of the voters of
  // one of these sets.
  void demand_majority_holds(const std::vector<chain::EntryRef>& any_of, const char* what,
                             const std::vector<chain::MembersRef>& sets);
  using HostTest = std::function<bool(NodeHost&)>;
  [[nodiscard]] bool is_majority(const chain::MemberSet& set, const HostTest& has) const;
  [[nodiscard]] std::size_t index_of(const chain::NodeId& node) const;
  [[nodiscard]] bool is_invited_as_light(std::size_t node) const;
  void start_admitted();
  void knock();
  void found_share(std::size_t node, const mining::ShareFound& share);

  const ClusterOptions options_;
  const chain::Genesis genesis_;
  const Roster roster_;
  Scheduler scheduler_;
  Trace trace_;
  chain::Rng rng_;
  chain::Rng salts_;
  chain::Rng programs_;
  Registry registry_;
  ChainChecker chain_;
  MemberChecker membership_;
  WorkChecker work_;
  LightChecker light_;
  PromiseChecker promises_;
  RaftChecker raft_;
  RecoveryChecker recovery_;
  ReadChecker read_checker_;
  Network network_;
  std::unique_ptr<Linking> links_;
  SparseMesh* mesh_ = nullptr;  // which links_ is then
  Onlooker* onlooker_ = nullptr;
  Mouth* mouth_ = nullptr;  // of the liar
  std::vector<std::unique_ptr<Signing>> signing_;
  std::vector<std::unique_ptr<NodeHost>> hosts_;
  HashedNonces nonces_;
  std::vector<std::unique_ptr<Miner>> miners_;
  std::map<ContentId, chain::Height> offered_by_;  // the oldest set that it may be durable by
  std::map<node::RequestId, Request> requests_;
  std::map<node::RequestId, Read> reads_;
  std::map<node::RequestId, OpenOrder> orders_;
  std::vector<Intake> intakes_;  // by host
  std::vector<bool> is_gone_;
  std::vector<bool> is_outdated_;
  std::uint64_t next_request_ = 1;
  std::uint64_t waited_permille_ = 0;
};

}  // namespace eventchain::sim
