// What operators want of the cluster, and the leader's care for who votes.

#include <utility>

#include "consensus/configuration.h"
#include "node/core_state.h"

namespace eventchain::node {

namespace {

// Whoever holds the keys of a majority of voters can certify any history, alone. So the cluster
// does not believe a node that has no vote, and may stand where fewer people watch, that an
// operator wants another member to have another key.
bool is_foreign_key(const chain::NodeId& asker, const chain::MemberOrder& order,
                    const Members& members) {
  const auto* update = std::get_if<chain::UpdateMember>(&order.what);
  if (update == nullptr || update->member.node == asker) return false;
  const chain::Member* known = members.find(update->member.node);
  return known != nullptr && known->signing_key != update->member.signing_key;
}

}  // namespace

void NodeCore::State::on(ClientOrders input) {
  orders.ask(std::move(input));
}

void NodeCore::State::said(const chain::NodeId& peer, const net::OrderAsk& message) {
  const auto* order = std::get_if<chain::MemberOrder>(&message.order);
  if (members.find(peer) == nullptr) return;
  if (order != nullptr && order->by == Steward::kPolicyName) {
    peer_fault(peer, Conduct::Fault::kBroken, "an order in the name of the leader's policy");
    return;
  }
  if (members.is_voter(peer)) {
    take_order(peer, message);
  } else if (order != nullptr && is_foreign_key(peer, *order, members)) {
    orders.tell(peer, message.number, net::OrderOutcome::kRefused,
                "the key of another member is not changed through a node without a vote; give the "
                "order at a voter, or at the member itself",
                ledger.state().height());
  } else if (is_voter() || is_leading()) {
    orders.relay(peer, message, now.steady);
  } else {
    outbox.send(peer, net::OrderTold{message.number,
                                     net::OrderOutcome::kNotNow,
                                     "the node that was asked has no vote",
                                     {},
                                     true});
  }
}

void NodeCore::State::said(const chain::NodeId& peer, const net::OrderTold& message) {
  orders.said(peer, message, ledger.state().height());
}

void NodeCore::State::said(const chain::NodeId& peer, const net::SettleAsk& message) {
  steward.said(peer, message);
}

void NodeCore::State::said(const chain::NodeId& peer, const net::SettleHeld& message) {
  steward.said(peer, message);
}

// Whoever asks a node that does not lead asks again.
void NodeCore::State::take_order(const chain::NodeId& asker, const net::OrderAsk& ask) {
  if (!is_leading() || orders.is_taken(asker, ask.number)) return;
  const chain::Height tip = ledger.state().height();
  if (ask.as_of && *ask.as_of > tip) return;  // another one leads by now
  const auto refuse = [&](const chain::Error& error) {
    const bool may_work_later = error.code == chain::ErrorCode::kUnavailable;
    orders.tell(asker, ask.number,
                may_work_later ? net::OrderOutcome::kNotNow : net::OrderOutcome::kRefused,
                error.message, tip);
  };
  if (const auto* transfer = std::get_if<net::TransferLeadership>(&ask.order)) {
    const auto done = steward.transfer(transfer->to, now);
    if (!done) return refuse(done.error());
    orders.tell(asker, ask.number, net::OrderOutcome::kDone, {}, tip);
    return;
  }
  const auto& order = std::get<chain::MemberOrder>(ask.order);
  // A voter that is to leave stops being one first, and leaves when Raft's configuration has
  // followed.
  std::optional<chain::MemberOrder> first;
  if (const auto* removal = std::get_if<chain::RemoveMember>(&order.what))
    if (members.is_voter(removal->node))
      first =
          chain::MemberOrder{order.by, chain::SetRole{removal->node, chain::MemberRole::kStandby}};
  chain::MemberOrder judged = first ? *first : order;
  if (orders.is_wanted(order)) return orders.take(asker, ask.number, order, tip, now.steady);
  // The template in hand may have it already, from another leader: it is under way.
  if (const CheckedRef in_hand = work.in_hand()) {
    for (const auto& item : in_hand->made.content.annex) {
      const auto* placed = std::get_if<chain::MemberOrder>(&item);
      if (placed != nullptr && chain::is_same_wish(*placed, judged))
        return orders.take(asker, ask.number, order, tip, now.steady);
    }
  }
  // While the last change of voters comes through the next one waits.
  const auto fit = steward.is_fit(judged);
  if (!fit && (!steward.changes_voters(judged) || steward.is_in_step())) return refuse(fit.error());
  chain::MemberChange change(ledger.state().members, tip.next(), now.wall);
  if (auto* admit = std::get_if<chain::Admit>(&judged.what))
    admit->member.slot = change.free_slot();
  if (const auto allowed = change.apply(judged); !allowed) return refuse(allowed.error());
  if (!orders.is_up_to_date(ask)) return;
  if (first) orders.take_own(*first, now.steady);
  orders.take(asker, ask.number, order, tip, now.steady);
}

// At most one change of voters goes into a block; the others wait for theirs. A higher feature
// level goes without any: the programs that were asked are those of the voters who will have it.
std::vector<chain::MemberOrder> NodeCore::State::orders_for_block() {
  bool has_one = false;
  bool waits_for_voters = false;
  auto wanted = orders.for_block([&](const chain::MemberOrder& order) {
    const bool changes = steward.changes_voters(order);
    const bool is_alone = changes || std::holds_alternative<chain::RaiseFeatureLevel>(order.what);
    waits_for_voters = waits_for_voters || changes;
    if (!steward.is_ripe(order) || (is_alone && has_one)) return false;
    has_one = has_one || is_alone;
    return true;
  });
  if (waits_for_voters) steward.prepare();
  return wanted;
}

void NodeCore::State::steer() {
  steward.follow_up(is_leading(), now);
  for (const auto& ask : orders.follow_up(now.steady, known_leader(), ledger.state().height()))
    take_order(members.self_id(), ask);
  if (!is_leading()) return;
  orders.forget_old(now.steady);
  orders.wish(steward.wish(now), now.steady);
}

}  // namespace eventchain::node
