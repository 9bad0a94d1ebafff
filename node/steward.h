#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "consensus/replica.h"
#include "node/ledger.h"
#include "node/members.h"
#include "node/outbox.h"

namespace eventchain::node {

// The leader's care for who votes. Blocks say what the members' roles are to be; the steward moves
// Raft's configuration there, one server at a time, and judges whether the cluster is fit for the
// next change of voters. All of it is the leader's alone and none of it is state: whoever leads
// next begins anew from the chain and from Raft's configuration.
//
// Voters change only when what was durable before is placed. An event is durable when a majority of
// the voters of one block hold it (durability.h); if voters came and went one by one, its holders
// could soon be no majority, and gone while it still waits. So before each change, and again before
// a voter's vote goes, the leader asks all voters to *settle*: to answer when everything that was
// pending with them has its place. They answer only once they know the present voters, and from
// then on their copies count for these alone; and a majority that answers has a member in common
// with every majority that held anything before. What is durable is thus never further than one
// voter from the voters that hold it.
//
// Owned by the node's core. Deterministic.
class Steward {
 public:
  // Who gives the leader's own orders.
  static constexpr std::string_view kPolicyName = "policy";
  static constexpr std::chrono::milliseconds kLookEvery{100};
  static constexpr std::chrono::milliseconds kRepeatEvery{500};

  Steward(const Members& members, const Ledger& ledger, consensus::Replica& replica, Outbox& outbox)
      : members_(members), ledger_(ledger), replica_(replica), outbox_(outbox) {}

  // --- as the leader --------------------------------------------------------------------------
  // Whether the cluster is fit for an order now; the rules of the chain are not looked at. The
  // message says what is in the way. kUnavailable: it may be fit later.
  [[nodiscard]] chain::Result<void> is_fit(const chain::MemberOrder& order) const;
  // Raft's committed configuration is what the roles say.
  [[nodiscard]] bool is_in_step() const {
    return !replica_.is_changing() && replica_.configuration() == wanted();
  }
  // Whether the order changes who votes, in one way or the other.
  [[nodiscard]] bool changes_voters(const chain::MemberOrder& order) const;
  // Whether it may go into the next block. A change of voters waits until the voters have settled.
  [[nodiscard]] bool is_ripe(const chain::MemberOrder& order) const;
  // Somebody wants the voters changed: they are asked to settle.
  void prepare() { is_wanted_ = true; }
  chain::Result<void> transfer(const chain::NodeId& to, const chain::Now& now);
  // To the voter that has most of the log, if one is linked.
  void hand_over(const chain::Now& now, const char* why);
  // What the policy wants next, if anything; else a higher feature level, once all voters can.
  [[nodiscard]] std::optional<chain::MemberOrder> wish(const chain::Now& now) const;
  void follow_up(bool leads, const chain::Now& now);
  [[nodiscard]] std::optional<chain::Instant> next_deadline(bool leads) const;

  void peer_up(const chain::NodeId& peer) { away_since_.erase(peer); }
  void peer_down(const chain::NodeId& peer, chain::Instant now) {
    away_since_.emplace(peer, now);
    tips_.erase(peer);
  }
  void heard_tip(const chain::NodeId& peer, chain::Height height) { tips_[peer] = height; }
  void said(const chain::NodeId& peer, const net::SettleHeld& held);

  // --- as a voter -----------------------------------------------------------------------------
  void said(const chain::NodeId& peer, const net::SettleAsk& ask);

 private:
  // A server that lacks no more than this of the log is as good as caught up.
  static constexpr std::uint64_t kLagMax = 64;
  static constexpr std::uint64_t kBlocksBehindMax = 16;

  // What was pending when it was asked for, by arrival here.
  struct Settling {
    consensus::Term term;
    chain::Height voters_since;
    std::uint64_t newest = 0;
    chain::NodeId leader;
  };

  [[nodiscard]] consensus::Configuration wanted() const;
  [[nodiscard]] bool is_caught_up(const chain::Member& member) const;
  [[nodiscard]] chain::Result<void> may_rise(std::uint16_t level) const;
  [[nodiscard]] chain::Result<void> is_new_enough(const chain::Member& member) const;
  [[nodiscard]] std::optional<chain::MemberOrder> voters_wish(const chain::Now& now) const;
  [[nodiscard]] chain::Result<void> keeps_quorum(const chain::NodeId& without,
                                                 std::size_t voters_after) const;
  void step(const chain::Now& now);
  void ask_to_settle(const chain::Now& now);
  [[nodiscard]] bool is_settled() const;
  [[nodiscard]] bool keeps_raft_quorum(consensus::ServerId without) const;
  [[nodiscard]] std::optional<chain::MemberOrder> way_back(const chain::Now& now) const;
  void change(const consensus::Configuration& to, const chain::Now& now);
  [[nodiscard]] bool is_done(const Settling& settling) const;
  [[nodiscard]] std::uint64_t newest_pending() const;

  const Members& members_;
  const Ledger& ledger_;
  consensus::Replica& replica_;
  Outbox& outbox_;

  std::map<chain::NodeId, chain::Instant> away_since_;
  std::map<chain::NodeId, chain::Height> tips_;
  chain::Instant look_at_;
  // The round that is asked for, as the leader.
  std::optional<Settling> round_;
  std::set<chain::NodeId> settled_;
  chain::Instant round_repeat_at_;
  bool is_wanted_ = false;  // a change, since the last look
  // What this node was asked for, as a voter.
  std::optional<Settling> asked_;
};

}  // namespace eventchain::node
