// What happens to the effects of the cores, and what is checked behind each commit.

#include <algorithm>
#include <utility>

#include "chain/features.h"
#include "tests/sim/cluster.h"

namespace eventchain::sim {

std::size_t Cluster::index_of(const chain::NodeId& node) const {
  const auto found = roster_.find(node);
  if (!found) throw Violation("members", "a core speaks to a node that nobody knows");
  return *found;
}

void Cluster::recovered(NodeHost& host) {
  miners_[host.index()]->restart();
  if (host.is_light()) {
    light_.recovered(host);
  } else {
    chain_.recovered(host);
    recovery_.recovered(host);
  }
  links_->knows(host.index(), host.headers().members, host.headers().height(), {});
}

void Cluster::committed_light(const NodeHost& host) {
  const bool is_new_tip = light_.committed(host);
  membership_.committed_light(host);
  check_program(host);
  if (is_new_tip && host.headers().height().value > 0) demand_final(host, host.headers().height());
}

void Cluster::committed(NodeHost& host) {
  if (host.is_light()) return committed_light(host);
  // One that is started with too old a program does not even read its log.
  if (chain::can_follow(*host.core().chain_state().members, program(host.index())))
    raft_.committed(host);
  const auto fresh = chain_.committed(host);
  const auto members_before = membership_.newest();
  membership_.extended(fresh);
  membership_.committed(host);
  check_program(host);
  for (const auto& block : fresh) {
    check_rise(block);
    const auto sets = membership_.raft_may_have(block.sealed.header.height);
    for (const auto& entry : block.content.entries)
      demand_majority_holds({entry}, "committed", sets);
  }
  if (membership_.newest() != members_before) start_admitted();
  work_.extended(fresh);
  promises_.extended(fresh);
  recovery_.committed(host);
  light_.extended(fresh);
  light_.counted(host);
}

void Cluster::demand_majority_holds(const std::vector<chain::EntryRef>& any_of, const char* what,
                                    const std::vector<chain::MembersRef>& sets) {
  const auto holds = [&any_of](NodeHost& host) {
    return std::ranges::any_of(any_of, [&host](const chain::EntryRef& entry) {
      return !host.is_light() && host.store().holds_durably(entry);
    });
  };
  for (const auto& set : sets)
    if (is_majority(*set, holds)) return;
  const auto holding = std::ranges::count_if(hosts_, [&](const auto& one) { return holds(*one); });
  throw Violation("I7", fmt::format("an event is {} and held by {} of {} hosts, which is no "
                                    "majority of voters",
                                    what, holding, size()));
}

void Cluster::died(NodeHost& host) {
  miners_[host.index()]->stop();
  network_.node_down(host.index());
  links_->node_down(host.index());
  intakes_[host.index()] = {};
  std::vector<Answered> forsaken;
  for (auto it = requests_.begin(); it != requests_.end();) {
    if (it->second.node != host.index()) {
      ++it;
      continue;
    }
    forsaken.push_back(std::move(it->second.done));
    it = requests_.erase(it);
  }
  std::vector<ReadDone> unread;
  for (auto it = reads_.begin(); it != reads_.end();) {
    if (it->second.node != host.index()) {
      ++it;
      continue;
    }
    unread.push_back(std::move(it->second.done));
    it = reads_.erase(it);
  }
  std::vector<OrderDone> unheard;
  for (auto it = orders_.begin(); it != orders_.end();) {
    if (it->second.node != host.index()) {
      ++it;
      continue;
    }
    unheard.push_back(std::move(it->second.done));
    it = orders_.erase(it);
  }
  for (const auto& done : forsaken) done(std::nullopt);
  for (const auto& done : unread) done(std::nullopt);
  for (const auto& done : unheard) done(std::nullopt);
}

void Cluster::link_up(std::size_t at, std::size_t peer) {
  trace_.print("n{} sees n{}", at, peer);
  links_->link_up(at, peer);
  host(at).post(node::PeerUp{roster_.node(peer), roster_[peer].member.store, program(peer)});
}

void Cluster::link_down(std::size_t at, std::size_t peer) {
  trace_.print("n{} loses n{}", at, peer);
  links_->link_down(at, peer);
  host(at).post(node::PeerDown{roster_.node(peer)});
}

void Cluster::said(std::size_t at, std::size_t peer, net::Message message) {
  if (onlooker_ != nullptr) onlooker_->received(at, message);
  if (mouth_ != nullptr && at == liar()) mouth_->hears(peer, message);
  host(at).post(node::PeerSaid{roster_.node(peer), std::move(message)});
}

void Cluster::carry_out(NodeHost& host, node::Effect& effect) {
  std::visit([&](auto& one) { do_effect(host, one); }, effect);
}

void Cluster::do_effect(NodeHost& host, node::Answer& answer) {
  auto request = requests_.extract(answer.request);
  if (request.empty())
    throw Violation("answers", fmt::format("n{} answers a request twice", host.index()));
  trace_.fold(20, answer.request.value, answer.reached);
  for (const auto& outcome : answer.outcomes) trace_.fold(21, outcome.state);
  if (answer.reached) LightChecker::demand_full(host, "fulfils a client's wish");
  trace_.print("n{} answers request={} reached={} first={}", host.index(), answer.request.value,
               answer.reached,
               answer.outcomes.empty() ? -1 : static_cast<int>(answer.outcomes.front().state));
  Request& asked = request.mapped();
  promises_.answered(host.index(), asked.events, asked.wait, asked.intake, answer);
  for (std::size_t i = 0; i < asked.events.size(); ++i) {
    if (answer.outcomes[i].is_final) demand_final(host, *answer.outcomes[i].height);
    // It may leave before the tip is announced.
    if (answer.outcomes[i].position) read_checker_.seen(answer.outcomes[i].position->value + 1);
    if (answer.outcomes[i].state != node::EventOutcome::State::kDurable) continue;
    const auto content = registry_.find(asked.events[i].facts.commitment)->content;
    // Who tells of it may be behind: a block has decided about it, and that was judged then.
    if (promises_.is_decided(asked.events[i].facts.key, content)) continue;
    demand_majority_holds(registry_.variants_of(content), "called durable",
                          membership_.since(offered_by_.at(content)));
  }
  asked.done(std::move(answer));
}

void Cluster::do_effect(NodeHost&, node::PendingAnswer&) {}

void Cluster::do_effect(NodeHost& host, node::ReadReady& ready) {
  auto found = reads_.extract(ready.request);
  if (found.empty())
    throw Violation("answers", fmt::format("n{} answers a read twice", host.index()));
  Read& read = found.mapped();
  trace_.fold(23, ready.request.value, ready.reached);
  trace_.print("n{} may read request={} reached={}", host.index(), ready.request.value,
               ready.reached);
  if (ready.reached) LightChecker::demand_full(host, "answers a linearizable read");
  if (ready.reached) read_checker_.answered(host.index(), read.floor, host.store().tip().log_size);
  read.done(ready.reached);
}

void Cluster::do_effect(NodeHost& host, node::OrderAnswer& answer) {
  auto found = orders_.extract(answer.request);
  if (found.empty())
    throw Violation("answers", fmt::format("n{} answers an order twice", host.index()));
  OpenOrder& open = found.mapped();
  trace_.fold(24, answer.request.value, answer.outcome, answer.height.value);
  trace_.print("n{} answers order request={} outcome={} height={} {}", host.index(),
               answer.request.value, static_cast<int>(answer.outcome), answer.height.value,
               answer.message);
  if (answer.outcome == net::OrderOutcome::kDone) LightChecker::demand_full(host, "takes orders");
  if (answer.outcome == net::OrderOutcome::kDone)
    membership_.answered(host.index(), open.order, answer.height);
  open.done(answer);
}

void Cluster::do_effect(NodeHost& host, node::Send& send) {
  if (host.is_light()) light_.says(host, send.message);
  if (!chain::can_follow(*host.headers().members, program(host.index())))
    throw Violation("levels", fmt::format("n{} speaks with too old a program", host.index()));
  const auto message = std::make_shared<const net::Message>(std::move(send.message));
  std::size_t links = 0;
  for (const auto& to : send.to) {
    const std::size_t peer = index_of(to);
    if (peer == host.index()) throw Violation("members", "a core speaks to itself");
    if (mouth_ != nullptr && host.index() == liar()) {
      mouth_->says(peer, *message);
      continue;
    }
    if (const auto* signatures = std::get_if<net::Signatures>(message.get()))
      check_signatures(host, *signatures);
    if (message->index() != 1)
      trace_.print("n{} -> n{} {}", host.index(), peer, net::name_of(*message));
    if (network_.send(host.index(), peer, message)) ++links;
  }
  if (onlooker_ != nullptr && links > 0) onlooker_->sent(host.index(), *message, links);
}

void Cluster::check_signatures(NodeHost& host, const net::Signatures& message) {
  const chain::MembersRef& before = membership_.at(message.height);
  const chain::Member* self = chain::find_member(*before, roster_.node(host.index()));
  if (self == nullptr) return;
  for (const auto& one : message.signatures) {
    if (one.slot != self->slot) continue;
    const bool has_applied = message.height <= host.store().durable_height() &&
                             host.store().chain().height_of(message.block) == message.height;
    if (!has_applied)
      throw Violation("I13", fmt::format("n{} signs block {} which a crash could take back",
                                         host.index(), message.height.value));
    if (!chain::may_certify(self->slot, *before, *membership_.at(message.height.next())))
      throw Violation("I13", fmt::format("n{} signs block {} and is no voter", host.index(),
                                         message.height.value));
  }
}

// A final block, or one above it, is applied on the disks of a majority of those who vote before or
// after it.
void Cluster::demand_final(const NodeHost& host, chain::Height height) {
  for (chain::Height signed_at = height; signed_at <= host.machine().certified();
       signed_at = signed_at.next()) {
    const auto has_it = [signed_at](NodeHost& one) {
      return !one.is_light() && one.durable_height() >= signed_at;
    };
    if (is_majority(*membership_.at(signed_at), has_it) ||
        is_majority(*membership_.at(signed_at.next()), has_it))
      return;
  }
  throw Violation("I13", fmt::format("n{} calls block {} final, and no majority of voters has it",
                                     host.index(), height.value));
}

void Cluster::do_effect(NodeHost& host, node::HangUp& hang_up) {
  network_.break_link(host.index(), index_of(hang_up.peer));
}

void Cluster::do_effect(NodeHost& host, node::Mine& mine) {
  trace_.print("n{} mines height={} template={:.8}", host.index(), mine.order.header.height.value,
               to_hex(mine.order.template_hash));
  work_.mines(host.index(), mine.order);
  if (onlooker_ != nullptr) onlooker_->mines(host.index(), mine.order);
  miners_[host.index()]->mine(mine.order);
}

void Cluster::found_share(std::size_t node, const mining::ShareFound& share) {
  const mining::WorkOrder& order = *miners_[node]->order();
  work_.found(node, order, share);
  if (onlooker_ != nullptr) onlooker_->found_share(node, order);
  hosts_[node]->post(node::MinerFound{share});
}

void Cluster::do_effect(NodeHost& host, node::StopMining&) {
  miners_[host.index()]->stop();
  if (onlooker_ != nullptr) onlooker_->stops_mining(host.index());
}

void Cluster::do_effect(NodeHost& host, node::TipMoved& moved) {
  trace_.fold(22, moved.height.value, moved.id.octets[0], moved.log_size);
  trace_.print("n{} tip height={} events={}", host.index(), moved.height.value, moved.events);
  if (chain_.id_at(moved.height) != moved.id)
    throw Violation("I1", fmt::format("n{} announces another block", host.index()));
  read_checker_.seen(moved.log_size);
  if (onlooker_ != nullptr) onlooker_->reached(host.index(), moved.height);
}

void Cluster::do_effect(NodeHost& host, node::MembersChanged& changed) {
  trace_.fold(25, changed.members->members.size(), changed.members->voters_since.value);
  trace_.print("n{} knows {} members, {} voters since {}", host.index(),
               changed.members->members.size(), chain::count_voters(*changed.members),
               changed.members->voters_since.value);
  links_->knows(host.index(), changed.members, changed.as_of, changed.leaving);
}

// The machine ends its node, and a new one on the same disk would be refused everywhere.
void Cluster::do_effect(NodeHost& host, node::Removed&) {
  trace_.print("n{} is removed", host.index());
  if (is_member(host.index()))
    throw Violation("members", fmt::format("n{} ends, and is a member", host.index()));
  is_gone_[host.index()] = true;
  host.kill();
}

// Nobody's disk is put back in here.
void Cluster::do_effect(NodeHost& host, node::RolledBack& rolled_back) {
  throw Violation("honesty", fmt::format("n{} says: {}", host.index(), rolled_back.reason));
}

// Every node runs as what it was invited as.
void Cluster::do_effect(NodeHost& host, node::WrongKind& wrong) {
  throw Violation("members", fmt::format("n{} says: {}", host.index(), wrong.reason));
}

// Nobody lies in here.
void Cluster::do_effect(NodeHost& host, node::Evidence& evidence) {
  throw Violation("I13", fmt::format("n{} met a certified history beside its own at height {}",
                                     host.index(), evidence.own.header.height.value));
}

void Cluster::do_effect(NodeHost& host, node::Notice& notice) {
  trace_.print("n{} says: {}", host.index(), notice.text);
  // Nobody else lies here and no disk is damaged, so nothing may ever look like it.
  const bool is_accusation = notice.text.starts_with("peer sent what it should not") ||
                             notice.text.starts_with("peer is shunned");
  if (host.index() == liar() || (is_accusation && may_be_accused(notice.text))) return;
  if (notice.level == node::Notice::Level::kError || is_accusation)
    throw Violation("honesty", fmt::format("n{} says: {}", host.index(), notice.text));
}

}  // namespace eventchain::sim
