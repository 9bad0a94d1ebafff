#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
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
// A node without a vote that is not linked to the leader hands it to one linked voter after the
// other instead. A voter takes it as if its own client had given it, under a number of its own, and
// tells what became of it; if it knows no leader, it says so, and another one is asked. Who relays
// promises nothing either: if it is lost, the order is repeated elsewhere, and since the leader
// takes equal wishes for one, and a refusal counts only after the blocks that the leader had, an
// order that a block has is told to be done.
//
// An order is carried out once. Whoever was given it tells the leader its tip with every ask, and a
// voter that relays tells the origin's, not its own: no block up to there has the order. The leader
// takes an order on from nobody who has yet to see a block with orders, since that may have this
// very one, undone by another since. Who asks catches up and asks again, or finds it done. Blocks
// without orders are in nobody's way. A leader that has seen less than who asks is one of the past,
// and keeps silent.
//
// Owned by the node's core. Memory: kOpenMax orders of clients, kRelayedMax of other nodes,
// kTakenMax as the leader.
class Orders {
 public:
  static constexpr std::chrono::milliseconds kRepeatEvery{500};
  static constexpr std::chrono::seconds kTakenFor{120};
  // Another node's order that is not repeated for so long is forgotten.
  static constexpr std::chrono::seconds kRelayPatience{2};
  // A voter that has said nothing for so long is not asked next: it may not relay at all.
  static constexpr std::chrono::seconds kSilenceMax{5};
  static constexpr std::size_t kRelayedMax = 64;
  static constexpr std::size_t kRelayedOfOneMax = 8;

  // `first_number`: random and not 0, so that no answer to an earlier run of this node fits.
  // `tip`: of this node when it starts; for all it knows that block has orders.
  Orders(const Members& members, Outbox& outbox, std::uint64_t first_number, chain::Height tip = {})
      : members_(members), outbox_(outbox), next_number_(first_number), newest_(tip) {}

  // --- as the node that is asked --------------------------------------------------------------
  void ask(ClientOrders order);
  void said(const chain::NodeId& peer, const net::OrderTold& told, chain::Height tip);
  // A block was applied: its orders are done, and those of an earlier refusal are looked at again.
  void applied(const std::vector<chain::MemberOrder>& placed, chain::Height height);
  void expire(chain::Instant now);
  // `leader`: as far as this node knows; `tip`: this node's. Sends what is due to the leader, or to
  // a voter that hands it on; what this node is to do itself as the leader is the result.
  std::vector<net::OrderAsk> follow_up(chain::Instant now,
                                       const std::optional<chain::NodeId>& leader,
                                       chain::Height tip);
  [[nodiscard]] std::optional<chain::Instant> next_deadline() const;

  // --- as a voter, for a node without a vote ----------------------------------------------------
  void relay(const chain::NodeId& peer, const net::OrderAsk& ask, chain::Instant now);
  void peer_down(const chain::NodeId& peer);
  [[nodiscard]] std::size_t relayed() const { return relayed_.size(); }

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
  // Those that `is_ripe` lets wait do so; of equal ones there is one.
  std::vector<chain::MemberOrder> for_block(
      const std::function<bool(const chain::MemberOrder&)>& is_ripe);
  [[nodiscard]] bool is_taken(const chain::NodeId& asker, std::uint64_t number) const;
  // Somebody's equal wish is on its way into a block.
  [[nodiscard]] bool is_wanted(const chain::MemberOrder& order) const;
  // What became of for_block(): who was refused is told and forgotten.
  void placed(const std::vector<chain::Result<void>>& results, chain::Height tip);
  [[nodiscard]] bool has_taken() const { return !taken_.empty(); }
  // Whoever gave this order has seen all blocks with orders.
  [[nodiscard]] bool is_up_to_date(const net::OrderAsk& ask) const {
    return !ask.as_of || *ask.as_of >= newest_;
  }
  void no_longer_leads() { taken_.clear(); }

 private:
  static constexpr std::size_t kOpenMax = 256;
  static constexpr std::size_t kTakenMax = chain::kOrdersMax;
  static constexpr std::size_t kTakenOfOneMax = 16;

  // Of another node's order.
  struct Origin {
    chain::NodeId peer;
    std::uint64_t number = 0;
    auto operator<=>(const Origin&) const = default;
  };
  struct Open {
    std::variant<RequestId, Origin> asker;
    net::Order order;
    chain::Instant deadline;
    std::optional<chain::NodeId> asked = {};
    chain::Instant asked_since = {};
    chain::Instant repeat_at = {};
    bool is_turned_away = false;              // whom it asked knows nobody to hand it to
    std::optional<chain::Height> as_of = {};  // of another node's order
    // The leader's refusal; it counts once this node has seen all blocks that the leader had.
    std::optional<net::OrderTold> refusal = {};
    // The block that is said to have it; nobody is asked before this node has seen it.
    std::optional<chain::Height> placed_at = {};
  };
  struct Relayed {
    std::uint64_t number = 0;            // under which it is open here
    std::optional<net::OrderTold> told;  // it is open no more; said again to who repeats it
    chain::Instant forget_at;
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
  // `leader`, or a voter that may know how to reach it.
  [[nodiscard]] std::optional<chain::NodeId> whom(const Open& open,
                                                  const std::optional<chain::NodeId>& leader,
                                                  chain::Instant now) const;
  void turn_away();
  std::map<Origin, Relayed>::iterator forget(std::map<Origin, Relayed>::iterator relayed);

  const Members& members_;
  Outbox& outbox_;
  std::uint64_t next_number_;
  chain::Height newest_;  // block with orders, or a later one
  Opens open_;
  bool can_ask_ = false;
  std::map<Origin, Relayed> relayed_;
  std::vector<Taken> taken_;
};

}  // namespace eventchain::node
