#pragma once

#include <vector>

#include "chain/member_orders.h"
#include "net/messages.h"
#include "tests/sim/node_host.h"

namespace eventchain::sim {

// Who belongs to the cluster at each height, computed from the committed blocks alone; every node's
// store must say the same, and every header must name that set (members). Also what the majorities
// of the other checkers are majorities of.
class MemberChecker {
 public:
  MemberChecker(const chain::Genesis& genesis, std::size_t hosts);

  void extended(const std::vector<chain::Block>& blocks);
  // An operator gives this order, to whatever node.
  void ordered(const net::Order& order);
  // After a commit of `host`; extended() has seen its blocks.
  void committed(NodeHost& host);
  // The same of a light member, whose store gives the newest set alone.
  void committed_light(const NodeHost& host);

  // In force at this height, as its header names it; the newest where nobody has come so far.
  [[nodiscard]] const chain::MembersRef& at(chain::Height height) const;
  [[nodiscard]] const chain::MembersRef& newest() const { return sets_.back(); }
  [[nodiscard]] chain::Height newest_height() const { return chain::Height{sets_.size() - 1}; }
  // The sets by which voters may count at this height: the one in force and, because Raft's
  // configuration follows the chain by one step, the one with the voters before.
  [[nodiscard]] std::vector<chain::MembersRef> raft_may_have(chain::Height height) const;
  // The sets from this height on.
  [[nodiscard]] std::vector<chain::MembersRef> since(chain::Height height) const;
  // The height of the set by which a host goes.
  [[nodiscard]] chain::Height known_to(std::size_t host) const { return seen_[host].next(); }

  [[nodiscard]] bool has_belonged(const chain::NodeId& node) const;
  // The answer to an operator. The slot of an admission is the leader's to give.
  void answered(std::size_t host, const net::Order& order, chain::Height height) const;
  [[nodiscard]] std::uint64_t orders() const { return orders_; }

 private:
  [[nodiscard]] bool is_authorised(const chain::MemberOrder& order) const;

  std::vector<chain::MembersRef> sets_;                  // by height in force; 0 is as 1
  std::vector<std::vector<chain::MemberOrder>> blocks_;  // orders by height
  std::vector<chain::MemberOrder> ordered_;              // by operators so far
  std::vector<chain::Height> seen_;                      // of each host, as of its last commit
  std::uint64_t orders_ = 0;
};

}  // namespace eventchain::sim
