#include "node/orders.h"

#include <algorithm>
#include <utility>

namespace eventchain::node {

// --- as the node that is asked ------------------------------------------------------------------

void Orders::ask(ClientOrders order) {
  if (open_.size() >= kOpenMax) {
    outbox_.add(OrderAnswer{order.request,
                            net::OrderOutcome::kNotNow,
                            "too many orders are open at this node; try again shortly",
                            {}});
    return;
  }
  open_.emplace(next_number_++,
                Open{order.request, std::move(order.order), order.deadline, {}, {}, {}});
}

Orders::Opens::iterator Orders::answer(Opens::iterator open, net::OrderOutcome outcome,
                                       std::string message, chain::Height height) {
  outbox_.add(OrderAnswer{open->second.request, outcome, std::move(message), height});
  return open_.erase(open);
}

void Orders::said(const chain::NodeId& peer, const net::OrderTold& told, chain::Height tip) {
  const auto found = open_.find(told.number);
  if (found == open_.end() || found->second.asked != peer) return;
  switch (told.outcome) {
    case net::OrderOutcome::kDone:
      // A member order is done when a block here has it, a transfer when the new leader says so.
      if (const auto* transfer = std::get_if<net::TransferLeadership>(&found->second.order))
        if (transfer->to == peer) answer(found, told.outcome, {}, told.height);
      return;
    case net::OrderOutcome::kRefused:
      if (told.height <= tip) {
        answer(found, told.outcome, told.message, {});
      } else {
        found->second.refusal = told;
      }
      return;
    case net::OrderOutcome::kNotNow:
      answer(found, told.outcome, told.message, {});
      return;
  }
}

void Orders::applied(const std::vector<chain::MemberOrder>& placed, chain::Height height) {
  const auto is_placed = [&](const chain::MemberOrder& order) {
    return std::ranges::any_of(placed,
                               [&](const auto& one) { return chain::is_same_wish(one, order); });
  };
  for (auto it = open_.begin(); it != open_.end();) {
    const auto* order = std::get_if<chain::MemberOrder>(&it->second.order);
    const std::optional<net::OrderTold> refusal = it->second.refusal;
    if (order != nullptr && is_placed(*order)) {
      it = answer(it, net::OrderOutcome::kDone, {}, height);
    } else if (refusal && refusal->height <= height) {
      it = answer(it, refusal->outcome, refusal->message, {});
    } else {
      ++it;
    }
  }
  std::erase_if(taken_, [&](const Taken& taken) { return is_placed(taken.order); });
}

void Orders::expire(chain::Instant now) {
  for (auto it = open_.begin(); it != open_.end();) {
    if (it->second.deadline > now) {
      ++it;
      continue;
    }
    const bool was_asked = it->second.asked.has_value();
    it = answer(it, net::OrderOutcome::kNotNow,
                was_asked ? "no block had the order in time; it may still come: look at the members"
                          : "no leader could be asked in time; try again when one is elected",
                {});
  }
}

std::vector<net::OrderAsk> Orders::follow_up(chain::Instant now,
                                             const std::optional<chain::NodeId>& leader) {
  std::vector<net::OrderAsk> own;
  const bool leads = leader == members_.self_id();
  is_leader_reachable_ = leader && (leads || members_.is_linked(*leader));
  if (!is_leader_reachable_) return own;
  for (auto& [number, open] : open_) {
    if (open.asked == leader && open.repeat_at > now) continue;
    open.asked = leader;
    open.repeat_at = now + kRepeatEvery;
    if (leads) {
      own.push_back({number, open.order});
    } else {
      outbox_.send(*leader, net::OrderAsk{number, open.order});
    }
  }
  return own;
}

std::optional<chain::Instant> Orders::next_deadline() const {
  std::optional<chain::Instant> next;
  for (const auto& [number, open] : open_) {
    chain::Instant due = open.deadline;
    if (open.asked && is_leader_reachable_) due = std::min(due, open.repeat_at);
    if (!next || due < *next) next = due;
  }
  return next;
}

// --- as the leader ------------------------------------------------------------------------------

bool Orders::is_taken(const chain::NodeId& asker, std::uint64_t number) const {
  return std::ranges::any_of(
      taken_, [&](const Taken& taken) { return taken.asker == asker && taken.number == number; });
}

void Orders::take(const chain::NodeId& asker, std::uint64_t number, const chain::MemberOrder& order,
                  chain::Height tip, chain::Instant now) {
  if (is_taken(asker, number)) return;
  const auto of_asker = static_cast<std::size_t>(std::ranges::count(taken_, asker, &Taken::asker));
  if (taken_.size() >= kTakenMax || of_asker >= kTakenOfOneMax) {
    tell(asker, number, net::OrderOutcome::kNotNow,
         "too many orders wait for a block; try again shortly", tip);
    return;
  }
  taken_.push_back({asker, number, order, now, false, false});
}

void Orders::take_own(const chain::MemberOrder& order, chain::Instant now) {
  const bool is_known = std::ranges::any_of(
      taken_, [&](const Taken& taken) { return chain::is_same_wish(taken.order, order); });
  if (!is_known && taken_.size() < kTakenMax)
    taken_.push_back({members_.self_id(), 0, order, now, false, false});
}

void Orders::wish(const std::optional<chain::MemberOrder>& order, chain::Instant now) {
  const bool is_known = order && std::ranges::any_of(taken_, [&](const Taken& taken) {
                          return taken.is_wish && taken.order == *order;
                        });
  if (is_known) return;
  std::erase_if(taken_, [](const Taken& taken) { return taken.is_wish; });
  if (order) taken_.push_back({members_.self_id(), 0, *order, now, true, false});
}

void Orders::forget_old(chain::Instant now) {
  std::erase_if(taken_, [&](const Taken& taken) { return now - taken.since > kTakenFor; });
}

void Orders::tell(const chain::NodeId& asker, std::uint64_t number, net::OrderOutcome outcome,
                  std::string message, chain::Height tip) {
  const net::OrderTold told{number, outcome, std::move(message), tip};
  if (asker == members_.self_id()) {
    said(asker, told, tip);
  } else {
    outbox_.send(asker, told);
  }
}

std::vector<chain::MemberOrder> Orders::for_block(
    const std::function<bool(const chain::MemberOrder&)>& is_ripe) {
  std::vector<chain::MemberOrder> orders;
  for (Taken& taken : taken_) {
    taken.is_handed_out = is_ripe(taken.order);
    if (taken.is_handed_out) orders.push_back(taken.order);
  }
  return orders;
}

void Orders::placed(const std::vector<chain::Result<void>>& results, chain::Height tip) {
  std::size_t next = 0;
  for (Taken& taken : std::exchange(taken_, {})) {
    const bool is_judged = taken.is_handed_out && next < results.size();
    const chain::Result<void> result = is_judged ? results[next] : chain::Result<void>();
    if (taken.is_handed_out) ++next;
    if (result) {
      taken_.push_back(std::move(taken));
    } else {
      tell(taken.asker, taken.number, net::OrderOutcome::kRefused, result.error().message, tip);
    }
  }
}

}  // namespace eventchain::node
