// What the core does with each message of a peer. Every field was checked for form by the codec;
// here it is checked for truth.

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "chain/planted.h"
#include "net/limits.h"
#include "node/core_state.h"

namespace eventchain::node {

namespace {

net::HoldResult result_of(const Holding& holding) {
  switch (holding.state) {
    case Holding::State::kNew:
    case Holding::State::kPending:
    case Holding::State::kPlaced:
    case Holding::State::kRejected:
    case Holding::State::kPast:
      return net::HoldResult::kHeld;
    case Holding::State::kConflict:
      return net::HoldResult::kConflict;
  }
  return net::HoldResult::kRefused;
}

}  // namespace

void NodeCore::State::on(const PeerUp& input) {
  if (conduct.is_shunned(input.peer, now.steady)) {
    deaf_to.insert(input.peer);
    return;
  }
  const chain::Member* member = members.find(input.peer);
  if (member != nullptr && member->store != input.store) {
    distrust(input.peer,
             "it has another disk than the member list names, so it is not this member "
             "any more; remove the member and let the node join anew");
    return;
  }
  members.link_up(input.peer, input.feature_level);
  dismissal.linked(input.peer);
  note_level(input);
  // First of all: it must not say anything before it knows.
  if (auto seen = witness.peer_up(input.peer, input.store)) outbox.send(input.peer, *seen);
  steward.peer_up(input.peer);
  durability.peer_up(input.peer, ledger);
  tell_tip({input.peer});
  work.show(input.peer);
  certifier.peer_up(input.peer);
  fetcher.peer_up(now);
  retry_fetching();
  if (leader == input.peer) announce_pending();
}

void NodeCore::State::on(const PeerDown& input) {
  deaf_to.erase(input.peer);
  distrusted.erase(input.peer);
  link_lost(input.peer);
}

void NodeCore::State::on(const PeerRefused& input) {
  dismissal.refused(input.peer, input.as_of);
  if (dismissal.is_certain(members, ledger.state().height())) is_removed = true;
}

void NodeCore::State::link_lost(const chain::NodeId& peer) {
  members.link_down(peer);
  forwarding.peer_down(peer);
  fetcher.peer_down(peer);
  gossip.peer_down(peer);
  catch_up.peer_down(peer);
  certifier.peer_down(peer);
  orders.peer_down(peer);
  hearsay.peer_down(peer);
  clock_watch.peer_down(peer);
  early_shares.erase(peer);
  steward.peer_down(peer, now.steady);
  replica.link_lost(server_of(peer), now);
}

void NodeCore::State::on(PeerSaid input) {
  if (!members.is_linked(input.peer)) return;  // nobody would hear an answer
  if (conduct.is_shunned(input.peer, now.steady) || distrusted.contains(input.peer)) return;
  if (members.is_light(input.peer) && !counts_of_light(input.message)) return;
  std::visit([&](auto& message) { said(input.peer, std::move(message)); }, input.message);
}

void NodeCore::State::said(const chain::NodeId& peer, const net::Hello&) {
  peer_fault(peer, Conduct::Fault::kBroken,
             "a second hello");  // the first one opened the link and ended at the transport
}

void NodeCore::State::said(const chain::NodeId& peer, const net::RaftSaid& message) {
  if (server_of(peer) != message.envelope.from ||
      message.envelope.to != server_of(members.self_id())) {
    peer_fault(peer, Conduct::Fault::kBroken, "a Raft message in another member's name");
    return;
  }
  // An observer has no say, whatever it sends. Who has one is known by the chain, by Raft's log, or
  // by both; where neither tells this node yet, the chain will, and it comes without Raft too. But
  // not always to a node that has yet to see the block that admits it: the voters of its time may
  // be gone, and with them their signatures.
  const bool is_known = members.is_in_raft(peer) || replica.knows(server_of(peer));
  if (!is_known && members.self() != nullptr) return;
  if (members.is_voter(peer) && !witness.heard(peer, message.envelope.message)) {
    distrust(peer,
             "its disk was put back to an earlier state, so it has forgotten votes and "
             "entries; stop it, remove the member and let the node join anew");
    return;
  }
  replica.receive(message.envelope, now);
  note_freshness(peer, message.envelope.message);
  decider.prefetch(replica.held_back());
}

void NodeCore::State::note_freshness(const chain::NodeId& peer,
                                     const consensus::RaftMessage& message) {
  if (const auto* append = std::get_if<consensus::AppendEntries>(&message)) {
    const auto server = replica.leader();
    const bool is_from_leader =
        server && members.node_of(*server) == peer && append->term == replica.term();
    if (is_from_leader && replica.applied_index() >= append->leader_commit) as_of = now.steady;
  } else if (const auto* result = std::get_if<consensus::AppendEntriesResult>(&message)) {
    if (!is_leading() || result->term != replica.term()) return;
    followed_at[peer] = now.steady;
    std::vector<chain::Instant> times;
    for (const auto& [node, at] : followed_at)
      if (members.is_voter(node)) times.push_back(at);
    const std::size_t others = members.majority() - 1;
    if (others == 0) return;
    if (times.size() < others) return;
    std::ranges::sort(times, std::greater<>());
    as_of = times[others - 1];
  }
}

void NodeCore::State::said(const chain::NodeId& peer, net::Events message) {
  net::EventsHeld answer;
  answer.batch = message.batch;
  answer.voters_since = members.set().voters_since;
  // Only among voters is an event made durable by a batch. Who is none here submits its clients'
  // events, where the pool's limit is asked; or its vote is news to this node, and what it learns
  // from the answer is that the two go by different voters.
  if (message.batch != 0 && !members.is_voter(peer)) {
    answer.results.assign(message.events.size(), net::HoldResult::kRefused);
    outbox.send(peer, std::move(answer));
    return;
  }
  bool gate_may_open = false;
  bool is_sound = true;
  for (auto& raw : message.events) {
    auto event = chain::hold_event(raw.salt, std::move(raw.body), ledger.limits());
    if (!event) {
      peer_fault(peer, Conduct::Fault::kBroken, event.error().message);
      is_sound = false;  // its sender is hung up on, and told nothing any more
      break;
    }
    const chain::EntryRef entry{event->facts.key, event->facts.commitment};
    const auto announcer = fetcher.announcer(entry);
    const bool wanted = fetcher.got_event(entry);
    auto knowing = gossip.arrived(entry.commitment, now.steady);
    if (message.batch == 0 && !wanted && !knowing) continue;  // nobody asked, nobody is told
    // What no voter says that it has finds room like what is submitted, or is announced again.
    const bool is_bounded = message.batch == 0 && announcer && !members.is_voter(*announcer);
    if (is_bounded && !knowing && !takes_events()) continue;
    Origin origin = is_leading() ? Origin::kPeerToLeader : Origin::kPeer;
    if (wanted) origin = Origin::kAnnounced;
    if (knowing) origin = Origin::kSpread;
    if (decider.awaits(entry)) origin = Origin::kWanted;
    const Holding holding = ledger.hold(*event, origin, now);
    if (knowing) spread_on(entry.commitment, holding, std::move(*knowing));
    answer.results.push_back(result_of(holding));
    gate_may_open = decider.arrived(entry) || gate_may_open;
  }
  if (is_sound && message.batch != 0) {
    if (chain::is_planted(chain::Mistake::kAcknowledgedBeforeSync)) {
      outbox.send_ahead({peer}, std::move(answer));
    } else {
      outbox.send(peer, std::move(answer));
    }
  }
  if (gate_may_open) reconsider();
}

void NodeCore::State::said(const chain::NodeId& peer, const net::EventsHeld& message) {
  take_progress(durability.held(peer, message, now.steady));
}

void NodeCore::State::said(const chain::NodeId& peer, const net::TemplatePush& message) {
  const chain::TemplateHeader& header = message.made.header;
  if (header.height <= ledger.state().height()) return;
  if (header.chain != ledger.state().chain) {
    peer_fault(peer, Conduct::Fault::kBroken, "a template of another chain");
    return;
  }
  if (header.height == ledger.state().height().next()) {
    // A correct peer has checked it on the same parent, or on another.
    const chain::Verdict verdict = chain::check_header(ledger.state(), header);
    if (verdict.rule == chain::Rule::kWrongParent) return;
    if (!verdict.ok()) {
      peer_fault(
          peer, Conduct::Fault::kBroken,
          fmt::format("a template whose header breaks a rule: {}", chain::to_string(verdict.rule)));
      return;
    }
  }
  // One's own leadership is proof enough that nobody else's template is newer.
  const bool from_leader = leader == peer;
  // Whoever comes to lead goes on with what it has in hand: with stamps and orders of its maker's
  // choice. Of those who may lead nobody takes up what somebody without a vote sends.
  const bool is_credible = !is_voter() || members.is_voter(peer);
  // Who follows a leader needs no other's, and fetches nothing for it.
  const bool nothing_else = !adopting && !work.in_hand() && is_credible && !follows_leader();
  const bool arrived = decider.arrived(message.made, peer);
  pushed[peer] = header;
  if (!is_leading() && (from_leader || nothing_else || is_newer_to_outsider(peer, header))) {
    adopting = header;
    adopting_from = peer;
  }
  if (arrived) reconsider();
}

void NodeCore::State::said(const chain::NodeId& peer, const net::TemplateRequest& message) {
  Serving::Left* left = serving.begin(peer);
  if (left == nullptr) return;
  if (auto made = decider.find_template(message.hash)) {
    left->read(made->content.entries.size() * sizeof(chain::EntryRef));
    outbox.send(peer, net::TemplatePush{std::move(*made)});
    return;
  }
  if (message.height > ledger.state().height()) return;
  auto block = ledger.block(message.height);
  if (!block) {
    outbox.notice(Notice::Level::kError, block.error().message);
    return;
  }
  left->read(block->content.entries.size() * sizeof(chain::EntryRef));
  if (chain::template_hash(block->sealed.header) != message.hash) return;
  outbox.send(peer, net::TemplatePush{{block->sealed.header, std::move(block->content)}});
}

void NodeCore::State::said(const chain::NodeId& peer, const net::SharePush& message) {
  take_share({message.template_hash, message.nonce}, peer, counters.peer_shares);
}

void NodeCore::State::said(const chain::NodeId& peer, const net::TipSaid& message) {
  peer_tips[peer] = message.height;
  catch_up.heard(peer, message.height, CatchUp::Claimed::kCommitted, now);
  steward.heard_tip(peer, message.height);
  hearsay.heard(peer, message, ledger.state().height(), now.steady);
  if (!message.clock) return;
  clock_watch.heard(peer, *message.clock, now);
  if (peer != known_leader()) return;
  if (auto alarm = clock_watch.alarm(peer, now))
    outbox.notice(Notice::Level::kWarning, std::move(*alarm));
}

void NodeCore::State::said(const chain::NodeId& peer, const net::BlocksRequest& message) {
  Serving::Left* left = serving.begin(peer);
  if (left == nullptr) return;
  net::BlocksReply reply;
  reply.from = message.from;
  std::size_t bytes = 0;
  const std::size_t count = std::min<std::size_t>(message.count, net::limits::kBlocksPerReplyMax);
  for (std::size_t i = 0; i < count; ++i) {
    const chain::Height height{message.from.value + i};
    if (height > ledger.state().height() || height.value == 0) break;
    auto block = ledger.block(height);
    if (!block) {
      outbox.notice(Notice::Level::kError, block.error().message);
      break;
    }
    bytes += chain::encode_content(block->content).size();
    if (!reply.blocks.empty() && bytes > net::limits::kBlocksReplyBytesMax) break;
    reply.blocks.push_back(std::move(*block));
  }
  left->read(bytes);
  left->looked_up(reply.blocks.size());
  // Up to the highest block that can be proven by those who may sign the first; without one, for
  // whom a Raft snapshot is proof.
  for (std::size_t kept = reply.blocks.size(); kept > 0; --kept) {
    const chain::SealedHeader& last = reply.blocks[kept - 1].sealed;
    if (last.header.member_set != reply.blocks[0].sealed.header.member_set) continue;
    reply.certificate = certifier.certificate_of(last, chain::block_id(last));
    if (reply.certificate.empty()) continue;
    reply.blocks.resize(kept);
    break;
  }
  outbox.send(peer, std::move(reply));
}

void NodeCore::State::said(const chain::NodeId& peer, const net::BlocksReply& message) {
  if (has_leaders_role()) return;  // it asked before it led
  const std::string wrong = catch_up.said(peer, message, now);
  if (!wrong.empty()) peer_fault(peer, Conduct::Fault::kBroken, wrong);
  reconsider();
}

void NodeCore::State::said(const chain::NodeId& peer, const net::ReadAsk& message) {
  reads.said(peer, message, now.steady);
}
void NodeCore::State::said(const chain::NodeId& peer, const net::ReadRound& message) {
  reads.said(peer, message);
}
void NodeCore::State::said(const chain::NodeId& peer, const net::ReadRoundHeld& message) {
  reads.said(peer, message);
}
void NodeCore::State::said(const chain::NodeId& peer, const net::ReadTold& message) {
  reads.said(peer, message);
}

void NodeCore::State::said(const chain::NodeId& peer, const net::Signatures& message) {
  const std::string wrong = certifier.said(peer, message);
  if (!wrong.empty()) {
    peer_fault(peer, Conduct::Fault::kBroken, wrong);
  } else if (message.signatures.size() >= chain::certificate_quorum(members.set())) {
    catch_up.heard(peer, message.height, CatchUp::Claimed::kCertified, now);
  }
  note_certified();
}

void NodeCore::State::peer_fault(const chain::NodeId& peer, Conduct::Fault fault,
                                 const std::string& what) {
  ++counters.peer_faults;
  const chain::Member* member = members.find(peer);
  const char* name = member != nullptr ? member->name.c_str() : "?";
  outbox.notice(Notice::Level::kWarning,
                fmt::format("peer sent what it should not peer={} what=\"{}\"", name, what));
  if (!conduct.fault(peer, fault, what, now.steady)) return;
  outbox.notice(Notice::Level::kWarning,
                fmt::format("peer is shunned peer={} seconds={} last=\"{}\"", name,
                            Conduct::kShunFor.count(), what));
  outbox.add(HangUp{peer, "shunned: " + what});
  link_lost(peer);
}

// A link on which nothing was listened to is opened anew, so that both sides begin at the
// beginning.
void NodeCore::State::end_shunning() {
  for (auto it = deaf_to.begin(); it != deaf_to.end();) {
    if (conduct.is_shunned(*it, now.steady)) {
      ++it;
      continue;
    }
    outbox.add(HangUp{*it, "it was shunned and is listened to again"});
    it = deaf_to.erase(it);
  }
}

NodeStatus NodeCore::status() const {
  const State& core = *state_;
  const chain::ChainState& chain = core.ledger.state();
  NodeStatus status;
  status.node = core.members.self_id();
  const chain::Member* self = core.members.self();
  status.name = self != nullptr ? self->name : std::string();
  status.chain = chain.chain;
  status.chain_name = chain.genesis.name;
  status.role = core.replica.role();
  status.term = core.replica.term();
  status.leader = core.known_leader();
  if (const auto word = core.hearsay.latest(); word && !core.is_voter())
    status.term = std::max(status.term, word->term);
  status.ready =
      core.leader && (*core.leader == status.node ? core.replica.is_ready()
                                                  : core.members.is_linked(*core.leader));
  // Where Raft does not serve, a voter is all that is needed.
  if (!core.is_voter() && !status.ready)
    status.ready = std::ranges::any_of(core.members.voters(), [&](const chain::NodeId& voter) {
      return core.members.is_linked(voter);
    });
  status.commit_index = core.replica.commit_index();
  status.applied_index = core.replica.applied_index();
  status.height = chain.height();
  status.tip = chain.tip;
  status.log_size = chain.log.size();
  status.certified = core.certifier.certified();
  status.feature_level = core.members.set().feature_level;
  status.program_level = core.options.feature_level;
  if (status.leader) status.leader_clock_ahead = core.clock_watch.ahead(*status.leader, core.now);
  status.total_work = chain.history.total_work();
  if (const CheckedRef in_hand = core.work.in_hand()) {
    status.working_on = in_hand->made.header.height;
    status.in_work = in_hand->made.header;
    status.shares_found = core.work.share_count();
    status.shares_needed = in_hand->made.header.share_count;
  }
  status.pending_events = core.ledger.pool().size();
  status.pending_bytes = core.ledger.pool().bytes();
  status.pool_events_max = core.ledger.pool().limits().events_max;
  const auto since = [&core](chain::Instant then) {
    const auto age = std::max(core.now.steady - then, std::chrono::nanoseconds(0));
    return std::chrono::duration_cast<std::chrono::milliseconds>(age);
  };
  if (status.pending_events > 0)
    status.oldest_pending = since(core.ledger.pool().in_order().front().since);
  status.tip_age = since(core.work.tip_since());
  status.block_interval = std::chrono::milliseconds(chain.genesis.interval_ms);
  status.intake_open = !core.disk_nearly_full && !core.drain_newest;
  status.drain = core.drain_status();
  for (const auto& member : core.members.all()) {
    if (member.node == status.node) continue;
    PeerStatus peer{member.node, member.name, core.members.is_linked(member.node)};
    if (const Conduct::Record* record = core.conduct.find(member.node)) {
      peer.faults = record->faults;
      peer.last_fault = record->last;
      peer.shunned = core.conduct.is_shunned(member.node, core.now.steady);
    }
    peer.program_level = core.members.level_of(member.node);
    const auto tip = core.peer_tips.find(member.node);
    if (tip != core.peer_tips.end()) peer.tip = tip->second;
    status.peers.push_back(std::move(peer));
  }
  status.counters = core.counters;
  status.counters.shares_lost = core.work.shares_lost();
  status.counters.requests_dropped = core.serving.dropped();
  status.recent_shares = core.recent_shares.sum();
  return status;
}

}  // namespace eventchain::node
