#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chain/assembler.h"
#include "net/messages.h"
#include "node/effects.h"
#include "node/inputs.h"
#include "node/members.h"
#include "node/outbox.h"

namespace eventchain::node {

// What operators want of the cluster, on its way into a block. The node that is asked hands the
// order to the leader, again and again and to whoever leads next, until one of the blocks it
// applies has it, the leader has refused it, or the time is over. The leader keeps what it takes on
// until a block has it; nothing of that is durable, because nobody was promised anything.
//
// Owned by the node's core. Memory: kOpenMax orders of clients, kTakenMax as the leader.
class Orders {
 public:
  static constexpr std::chrono::milliseconds kRepeatEvery{500};
  static constexpr std::chrono::seconds kTakenFor{120};

  // `first_number`: random and not 0, so that no answer to an earlier run of this node fits.
  Orders(const Members& members, Outbox& outbox, std::uint64_t first_number)
      : members_(members), outbox_(outbox), next_number_(first_number) {}

  // --- as the node that is asked --------------------------------------------------------------
  void ask(ClientOrders order);
  void said(const chain::NodeId& peer, const net::OrderTold& told, chain::Height tip);
  // A block was applied: its orders are done, and those of an earlier refusal are looked at again.
  void applied(const std::vector<chain::MemberOrder>& placed, chain::Height height);
  void expire(chain::Instant now);
  // Sends what is due to the leader; if that is this node, `own` gets it instead.
  std::vector<net::OrderAsk> follow_up(chain::Instant now,
                                       const std::optional<chain::NodeId>& leader);
  [[nodiscard]] std::optional<chain::Instant> next_deadline() const;

  // --- as the leader --------------------------------------------------------------------------
  // Takes on an order that the cluster is fit for. Known ones are taken once.
  void take(const chain::NodeId& asker, std::uint64_t number, const chain::MemberOrder& order,
            chain::Height tip, chain::Instant now);
  // What the policy wants now, in the place of what it wanted before.
  void wish(const std::optional<chain::MemberOrder>& order, chain::Instant now);
  // The leader's own; nobody waits for it.
  void take_own(const chain::MemberOrder& order, chain::Instant now);
  // Those that the cluster was not fit for all the time are given up; who asked knows by now.
  void forget_old(chain::Instant now);
  void tell(const chain::NodeId& asker, std::uint64_t number, net::OrderOutcome outcome,
            std::string message, chain::Height tip);
  // For the next template, in the order they came. They stay until a block has them: a template may
  // be made anew or lose its height.
  // Those that `is_ripe` lets wait do so.
  std::vector<chain::MemberOrder> for_block(
      const std::function<bool(const chain::MemberOrder&)>& is_ripe);
  [[nodiscard]] bool is_taken(const chain::NodeId& asker, std::uint64_t number) const;
  // What became of for_block(): who was refused is told and forgotten.
  void placed(const std::vector<chain::Result<void>>& results, chain::Height tip);
  [[nodiscard]] bool has_taken() const { return !taken_.empty(); }
  void no_longer_leads() { taken_.clear(); }

 private:
  static constexpr std::size_t kOpenMax = 256;
  static constexpr std::size_t kTakenMax = chain::kOrdersMax;
  static constexpr std::size_t kTakenOfOneMax = 16;

  struct Open {
    RequestId request;
    net::Order order;
    chain::Instant deadline;
    std::optional<chain::NodeId> asked;
    chain::Instant repeat_at;
    // The leader's refusal; it counts once this node has seen all blocks that the leader had.
    std::optional<net::OrderTold> refusal;
  };
  struct Taken {
    chain::NodeId asker;
    std::uint64_t number = 0;  // 0: the leader's own
    chain::MemberOrder order;
    chain::Instant since;
    bool is_wish = false;        // the policy's
    bool is_handed_out = false;  // by the last for_block()
  };

  using Opens = std::map<std::uint64_t, Open>;
  Opens::iterator answer(Opens::iterator open, net::OrderOutcome outcome, std::string message,
                         chain::Height height);

  const Members& members_;
  Outbox& outbox_;
  std::uint64_t next_number_;
  Opens open_;
  bool is_leader_reachable_ = false;
  std::vector<Taken> taken_;
};

}  // namespace eventchain::node
