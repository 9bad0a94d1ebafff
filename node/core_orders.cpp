// What operators want of the cluster, and the leader's care for who votes.

#include <utility>

#include "consensus/configuration.h"
#include "node/core_state.h"

namespace eventchain::node {

void NodeCore::State::on(ClientOrders input) {
  orders.ask(std::move(input));
}

void NodeCore::State::said(const chain::NodeId& peer, const net::OrderAsk& message) {
  take_order(peer, message);
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
  if (const auto fit = steward.is_fit(judged); !fit) return refuse(fit.error());
  chain::MemberChange change(ledger.state().members, tip.next(), now.wall);
  if (auto* admit = std::get_if<chain::Admit>(&judged.what))
    admit->member.slot = change.free_slot();
  if (const auto allowed = change.apply(judged); !allowed) return refuse(allowed.error());
  if (first) orders.take_own(*first, now.steady);
  orders.take(asker, ask.number, order, tip, now.steady);
}

// Whether an order may go into the next block; the others wait.
bool NodeCore::State::is_ripe(const chain::MemberOrder& order) const {
  if (const auto* removal = std::get_if<chain::RemoveMember>(&order.what)) {
    const auto* server = consensus::find_server(replica.configuration(), server_of(removal->node));
    return !members.is_voter(removal->node) &&
           (server == nullptr || server->suffrage != consensus::Suffrage::kVoter);
  }
  return steward.is_fit(order).has_value();
}

void NodeCore::State::steer() {
  steward.follow_up(is_leading(), now);
  for (const auto& ask : orders.follow_up(now.steady, leader)) take_order(members.self_id(), ask);
  if (!is_leading()) return;
  orders.forget_old(now.steady);
  if (const auto wish = steward.wish(now)) orders.take_own(*wish, now.steady);
}

}  // namespace eventchain::node
