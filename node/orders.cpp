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
  open_.emplace(next_number_++, Open{order.request, std::move(order.order), order.deadline});
}

// `height`: of the block that has it, or of the last one that its refusal rests on.
Orders::Opens::iterator Orders::answer(Opens::iterator open, net::OrderOutcome outcome,
                                       std::string message, chain::Height height) {
  if (const auto* request = std::get_if<RequestId>(&open->second.asker)) {
    const bool is_done = outcome == net::OrderOutcome::kDone;
    outbox_.add(
        OrderAnswer{*request, outcome, std::move(message), is_done ? height : chain::Height{}});
  } else {
    const Origin& origin = std::get<Origin>(open->second.asker);
    net::OrderTold told{origin.number, outcome, std::move(message), height};
    outbox_.send(origin.peer, told);
    relayed_.at(origin).told = std::move(told);
  }
  return open_.erase(open);
}

void Orders::said(const chain::NodeId& peer, const net::OrderTold& told, chain::Height tip) {
  const auto found = open_.find(told.number);
  if (found == open_.end() || found->second.asked != peer) return;
  switch (told.outcome) {
    case net::OrderOutcome::kDone:
      // A member order is done when a block here has it, a transfer when the new leader says so.
      // Who relays speaks for the new leader.
      if (const auto* transfer = std::get_if<net::TransferLeadership>(&found->second.order)) {
        if (transfer->to == peer || !members_.is_voter(members_.self_id()))
          answer(found, told.outcome, {}, told.height);
      } else if (told.height > tip) {
        found->second.placed_at = told.height;
      }
      return;
    case net::OrderOutcome::kRefused:
      if (told.height <= tip) {
        answer(found, told.outcome, told.message, told.height);
      } else {
        found->second.refusal = told;
      }
      return;
    case net::OrderOutcome::kNotNow:
      if (told.knows_nobody) {
        found->second.is_turned_away = true;
      } else {
        answer(found, told.outcome, told.message, told.height);
      }
      return;
  }
}

void Orders::applied(const std::vector<chain::MemberOrder>& placed, chain::Height height) {
  const auto is_placed = [&](const chain::MemberOrder& order) {
    return std::ranges::any_of(placed,
                               [&](const auto& one) { return chain::is_same_wish(one, order); });
  };
  if (!placed.empty()) newest_ = height;
  for (auto it = open_.begin(); it != open_.end();) {
    // The leader may have waited for just this.
    if (!placed.empty()) it->second.repeat_at = {};
    const auto* order = std::get_if<chain::MemberOrder>(&it->second.order);
    const std::optional<net::OrderTold> refusal = it->second.refusal;
    if (order != nullptr && is_placed(*order)) {
      it = answer(it, net::OrderOutcome::kDone, {}, height);
    } else if (refusal && refusal->height <= height) {
      it = answer(it, refusal->outcome, refusal->message, refusal->height);
    } else {
      // Equal wishes may lie in blocks that this node had when it was asked.
      if (it->second.placed_at && *it->second.placed_at <= height) it->second.placed_at.reset();
      ++it;
    }
  }
  std::erase_if(taken_, [&](const Taken& taken) { return is_placed(taken.order); });
}

void Orders::expire(chain::Instant now) {
  for (auto it = relayed_.begin(); it != relayed_.end();) {
    const auto one = it++;
    if (one->second.forget_at <= now) forget(one);
  }
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

std::optional<chain::NodeId> Orders::whom(const Open& open,
                                          const std::optional<chain::NodeId>& leader,
                                          chain::Instant now) const {
  if (leader && (leader == members_.self_id() || members_.is_linked(*leader))) return leader;
  if (members_.is_voter(members_.self_id())) return std::nullopt;
  const bool is_silent = open.is_turned_away || now - open.asked_since >= kSilenceMax;
  const bool stays = !is_silent || open.repeat_at > now;
  if (open.asked && stays && members_.is_voter(*open.asked) && members_.is_linked(*open.asked))
    return open.asked;
  // The next one by slot. Where the first begins is random, so that voters share the work.
  const auto& voters = members_.voters();
  const auto last = open.asked ? std::ranges::find(voters, *open.asked) : voters.end();
  const std::size_t begin = last == voters.end() ? static_cast<std::size_t>(next_number_)
                                                 : static_cast<std::size_t>(last - voters.begin());
  for (std::size_t i = 1; i <= voters.size(); ++i) {
    const chain::NodeId& voter = voters[(begin + i) % voters.size()];
    if (members_.is_linked(voter)) return voter;
  }
  return std::nullopt;
}

std::vector<net::OrderAsk> Orders::follow_up(chain::Instant now,
                                             const std::optional<chain::NodeId>& leader,
                                             chain::Height tip) {
  std::vector<net::OrderAsk> own;
  if (open_.empty()) return own;
  can_ask_ = whom({}, leader, now).has_value();
  if (!leader || whom({}, leader, now) != leader) turn_away();
  if (!can_ask_) return own;
  for (auto& [number, open] : open_) {
    if (open.placed_at) continue;
    const auto to = whom(open, leader, now);
    if (open.asked == to && open.repeat_at > now) continue;
    if (open.asked != to || open.is_turned_away) open.asked_since = now;
    open.asked = to;
    open.is_turned_away = false;
    open.repeat_at = now + kRepeatEvery;
    const bool is_own = std::holds_alternative<RequestId>(open.asker);
    net::OrderAsk ask{number, open.order, is_own ? tip : open.as_of};
    if (to == members_.self_id()) {
      own.push_back(std::move(ask));
    } else {
      outbox_.send(*to, std::move(ask));
    }
  }
  return own;
}

std::optional<chain::Instant> Orders::next_deadline() const {
  std::optional<chain::Instant> next;
  const auto consider = [&next](chain::Instant at) { next = next ? std::min(*next, at) : at; };
  for (const auto& [number, open] : open_) {
    consider(open.deadline);
    if (open.asked && can_ask_ && !open.placed_at) consider(open.repeat_at);
  }
  for (const auto& [origin, relayed] : relayed_) consider(relayed.forget_at);
  return next;
}

// --- as a voter, for a node without a vote ------------------------------------------------------

void Orders::relay(const chain::NodeId& peer, const net::OrderAsk& ask, chain::Instant now) {
  const Origin origin{peer, ask.number};
  const chain::Instant forget_at = now + kRelayPatience;
  if (const auto known = relayed_.find(origin); known != relayed_.end()) {
    known->second.forget_at = forget_at;
    if (known->second.told) {
      outbox_.send(peer, *known->second.told);
    } else {
      Open& open = open_.at(known->second.number);
      open.deadline = forget_at;
      if (open.as_of != ask.as_of) open.repeat_at = {};  // it may be up to date now
      open.as_of = ask.as_of;
    }
    return;
  }
  const auto of_peer =
      std::ranges::count_if(relayed_, [&](const auto& one) { return one.first.peer == peer; });
  if (relayed_.size() >= kRelayedMax || static_cast<std::size_t>(of_peer) >= kRelayedOfOneMax) {
    outbox_.send(peer, net::OrderTold{ask.number,
                                      net::OrderOutcome::kNotNow,
                                      "too many orders of nodes without a vote are open at the "
                                      "voter that was asked; try again shortly",
                                      {}});
    return;
  }
  relayed_.emplace(origin, Relayed{next_number_, {}, forget_at});
  Open open{origin, ask.order, forget_at};
  open.as_of = ask.as_of;
  open_.emplace(next_number_++, std::move(open));
}

// The leader is not known or not linked here; somebody else may reach it.
void Orders::turn_away() {
  for (auto it = open_.begin(); it != open_.end();) {
    const auto* origin = std::get_if<Origin>(&it->second.asker);
    if (origin == nullptr) {
      ++it;
      continue;
    }
    outbox_.send(origin->peer, net::OrderTold{origin->number,
                                              net::OrderOutcome::kNotNow,
                                              "the node that was asked knows no leader",
                                              {},
                                              true});
    relayed_.erase(*origin);
    it = open_.erase(it);
  }
}

std::map<Orders::Origin, Orders::Relayed>::iterator Orders::forget(
    std::map<Origin, Relayed>::iterator relayed) {
  open_.erase(relayed->second.number);
  return relayed_.erase(relayed);
}

void Orders::peer_down(const chain::NodeId& peer) {
  for (auto it = relayed_.lower_bound({peer, 0}); it != relayed_.end() && it->first.peer == peer;)
    it = forget(it);
}

// --- as the leader ------------------------------------------------------------------------------

bool Orders::is_taken(const chain::NodeId& asker, std::uint64_t number) const {
  return std::ranges::any_of(
      taken_, [&](const Taken& taken) { return taken.asker == asker && taken.number == number; });
}

bool Orders::is_wanted(const chain::MemberOrder& order) const {
  return std::ranges::any_of(
      taken_, [&](const Taken& taken) { return chain::is_same_wish(taken.order, order); });
}

void Orders::take(const chain::NodeId& asker, std::uint64_t number, const chain::MemberOrder& order,
                  chain::Height tip, chain::Instant now) {
  if (is_taken(asker, number)) return;
  const auto of_asker = static_cast<std::size_t>(std::ranges::count(taken_, asker, &Taken::asker));
  if (taken_.size() >= kTakenMax || of_asker >= kTakenOfOneMax) {
    // What is on its way all the same must not be told to wait: who asks asks again.
    if (is_wanted(order)) return;
    tell(asker, number, net::OrderOutcome::kNotNow,
         "too many orders wait for a block; try again shortly", tip);
    return;
  }
  taken_.push_back({asker, number, order, now, false, false});
}

void Orders::take_own(const chain::MemberOrder& order, chain::Instant now) {
  if (!is_wanted(order) && taken_.size() < kTakenMax)
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
  const auto is_there = [&](const chain::MemberOrder& order) {
    return std::ranges::any_of(orders,
                               [&](const auto& one) { return chain::is_same_wish(one, order); });
  };
  for (Taken& taken : taken_) {
    taken.is_handed_out = !is_there(taken.order) && is_ripe(taken.order);
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
