#include "node/core.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "node/core_state.h"

namespace eventchain::node {

namespace {

consensus::ReplicaOptions replica_options(const CoreOptions& options, const Members& members) {
  consensus::ReplicaOptions result;
  result.self = server_of(members.self_id());
  result.seed = options.seed;
  result.election_timeout = options.election_timeout;
  result.heartbeat_interval = options.heartbeat_interval;
  result.snapshot_every = options.snapshot_every;
  result.snapshot_trailing = options.snapshot_trailing;
  return result;
}

const chain::ShareDigest& digest_of(const CoreOptions& options) {
  const chain::ShareDigest* digest = options.digest != nullptr
                                         ? options.digest
                                         : chain::plain_digest(options.genesis.work_function);
  EC_ASSERT(digest != nullptr, "who makes the machine sets up what its work function needs");
  return *digest;
}

}  // namespace

NodeCore::State::State(const CoreOptions& core_options, store::Store& store)
    : options(core_options),
      ledger(store.chain(), store.chain().recover(), options.pool, now),
      members(ledger.state().members, options.self, options.feature_level),
      gossip(members, outbox, ledger, chain::Rng(options.seed).fork("gossip")),
      fetcher(members, outbox, gossip, chain::Rng(options.seed).fork("fetcher")),
      decider(ledger, fetcher, outbox, digest_of(options), options.feature_level),
      durability(members, outbox, (chain::Rng(options.seed).fork("durability").next() >> 1) | 1),
      forwarding(members, outbox, ledger,
                 (chain::Rng(options.seed).fork("forwarding").next() >> 1) | 1),
      clients(outbox),
      work({options.assembler, options.mines, &digest_of(options)}, ledger, members, outbox),
      replica(replica_options(options, members), store.raft(), decider, decider,
              first_configuration(options.genesis), ledger.applied()),
      reads(members, outbox, replica, ledger, chain::Rng(options.seed).fork("reads").next() >> 1),
      certifier(members, outbox, store.chain(), options.signing),
      catch_up(ledger, fetcher, decider, certifier, outbox),
      orders(members, outbox, (chain::Rng(options.seed).fork("orders").next() >> 1) | 1,
             ledger.state().height()),
      hearsay(members),
      steward(members, ledger, replica, outbox),
      witness(store.peers()) {}

NodeCore::NodeCore(const CoreOptions& options, store::Store& store)
    : state_(std::make_unique<State>(options, store)) {}
NodeCore::~NodeCore() = default;

void NodeCore::start(const chain::Now& now) {
  state_->now = now;
  if (state_->ends_outdated()) return;
  state_->ledger.start(now);
  state_->decider.at(now, std::nullopt);
  state_->work.tip_moved(now);
  state_->reopen_certificates();
  state_->announce_at = now.steady + State::kAnnounceEvery;
  state_->tell_at = now.steady + State::kTellEvery;
  state_->check_kind();
  state_->replica.start(now);
  state_->settle();
}

void NodeCore::handle(const chain::Now& now, Input input) {
  state_->now = now;
  if (state_->end) return;
  state_->decider.at(now, state_->leader);
  state_->take_progress(state_->durability.turn_begins());
  state_->is_followed_up = false;
  std::visit([this](auto& one) { state_->on(std::move(one)); }, input);
  state_->settle();
}

NodeCore::Step NodeCore::step(const chain::Now& now) {
  State& core = *state_;
  core.now = now;
  if (!core.end) core.follow_up();
  if (core.end) return {{}, now.steady};
  const bool may_wait =
      core.outbox.is_empty() && !core.durability.is_urgent() && core.durability.is_patient();
  if (!may_wait) {
    core.patient_until.reset();
  } else if (!core.patient_until) {
    core.patient_until = now.steady + Durability::kTrailing;
  }
  return {core.outbox.take_ahead(), core.patient_until.value_or(now.steady)};
}

Effects NodeCore::take_effects() {
  if (!state_->end) state_->follow_up();
  state_->is_followed_up = false;
  state_->patient_until.reset();
  if (std::exchange(state_->is_removed, false)) state_->answer_removed();
  Effects effects = state_->outbox.take();
  state_->serving.turn_ended();
  if (state_->end) return {{}, {*state_->end}};
  return effects;
}

chain::Instant NodeCore::next_wakeup() const {
  if (state_->end) return state_->now.steady + State::kAnnounceEvery;
  chain::Instant next = std::min(state_->replica.next_deadline(), state_->announce_at);
  const auto consider = [&next](const std::optional<chain::Instant>& at) {
    if (at && *at < next) next = *at;
  };
  if (state_->is_voter()) consider(state_->tell_at);
  consider(state_->clients.next_deadline());
  consider(state_->fetcher.next_deadline());
  consider(state_->gossip.next_deadline());
  consider(state_->durability.next_deadline());
  consider(state_->forwarding.next_deadline());
  consider(state_->reads.next_deadline());
  consider(state_->orders.next_deadline());
  consider(state_->steward.next_deadline(state_->is_leading()));
  consider(state_->next_drain());
  for (const auto& [node, until] : state_->leaving) consider(until);
  for (const auto& peer : state_->deaf_to) consider(state_->conduct.find(peer)->shunned_until);
  consider(state_->catch_up.next_deadline(state_->standing()));
  consider(state_->work.next_deadline(state_->is_leading()));
  return next;
}

std::optional<chain::Instant> NodeCore::as_of() const {
  return state_->as_of;
}

chain::Height NodeCore::certified() const {
  return state_->certifier.certified();
}

const consensus::Replica& NodeCore::replica() const {
  return state_->replica;
}
const chain::ChainState& NodeCore::chain_state() const {
  return state_->ledger.state();
}
const chain::PendingPool& NodeCore::pool() const {
  return state_->ledger.pool();
}

// --- inputs ---------------------------------------------------------------------------------

void NodeCore::State::on(const DiskSpace& input) {
  disk_nearly_full = input.nearly_full;
}

void NodeCore::State::on(const MinerFound& input) {
  take_share(input.share, std::nullopt, counters.own_shares);
}

void NodeCore::State::on(const Woke&) {
  replica.tick(now);
  clients.expire(now);
  reads.expire(now.steady);
  orders.expire(now.steady);
  end_shunning();
  durability.offer_again(ledger, now.steady);
  end_farewells();
  if (fetcher.next_deadline() && *fetcher.next_deadline() <= now.steady) {
    retry_fetching();
  }
  if (tell_at <= now.steady) tell_outsiders();
  if (announce_at <= now.steady) {
    witness.save();
    announce_tip();
    announce_pending();
  }
}

// What has a place needs no fetching any more, unless a block names it to reject it: then the key
// has long been taken, and the gate still waits for this very body.
void NodeCore::State::retry_fetching() {
  fetcher.retry(now, [this](const chain::EntryRef& entry) {
    return ledger.is_placed(entry.key) && !decider.awaits(entry);
  });
}

// What was told at the commit may have been lost with a link, or come when nobody could prove it.
void NodeCore::State::announce_tip() {
  tell_tip(members.linked_all());
}

// --- between the parts ----------------------------------------------------------------------

void NodeCore::State::settle() {
  while (true) {
    for (auto& envelope : replica.take_messages()) {
      const auto to = members.node_of(envelope.to);
      if (to && members.is_linked(*to)) outbox.send(*to, net::RaftSaid{std::move(envelope)});
    }
    const auto applied = decider.take_applied();
    for (const auto& block : applied) on_applied(block);
    if (!applied.empty() && ends_outdated()) return;
    for (const Offence& offence : decider.take_offences()) {
      const auto* server = std::get_if<consensus::ServerId>(&offence.author);
      const auto peer = server ? members.node_of(*server)
                               : std::optional(std::get<chain::NodeId>(offence.author));
      if (peer) peer_fault(*peer, Conduct::Fault::kBroken, offence.what);
    }
    follow_leadership();
    if (applied.empty()) return;
    // A new tip may make what the gate held back admissible, and what a certificate proved.
    replica.reconsider(now);
    decider.go_on();
  }
}

void NodeCore::State::follow_up() {
  if (std::exchange(is_followed_up, true)) return;
  take_progress(durability.flush(now.steady));
  try_adopt();
  steer();
  lead();
  drain();
  settle();
  forwarding.follow_up(leader, now.steady);
  gossip.follow_up(now.steady, room_for_spread());
  catch_up.follow_up(standing(), now);
  certifier.follow_up();
  reads.follow_up(now.steady);
  if (is_leading() && members.majority() == 1) as_of = now.steady;
  if (!is_voter() && hearsay.as_of() > as_of) as_of = hearsay.as_of();
}

void NodeCore::State::reconsider() {
  decider.at(now, leader);
  replica.reconsider(now);
  decider.prefetch(replica.held_back());
}

void NodeCore::State::follow_leadership() {
  std::optional<chain::NodeId> leads;
  if (const auto server = replica.leader()) leads = members.node_of(*server);
  if (leads != leader) {
    leader = leads;
    decider.at(now, leader);
    const chain::Member* member = leader ? members.find(*leader) : nullptr;
    outbox.notice(Notice::Level::kInfo,
                  fmt::format("leader changed term={} leader={}", replica.term().value,
                              member != nullptr ? member->name : "none"));
    take_progress(durability.leader_is(leader));
    // The new leader may lack what the old one held: it learns of it at once.
    announce_pending();
    tell_outsiders();
    // Its template may have come before the news that it leads.
    const auto known = leader ? pushed.find(*leader) : pushed.end();
    if (known != pushed.end() && !is_leading()) {
      adopting = known->second;
      adopting_from = *leader;
    }
  }
  if (is_leading() == was_leading) return;
  was_leading = is_leading();
  followed_at.clear();
  // Whatever was proposed before did not become the tip, or the work would be gone.
  work.unseal();
  if (!was_leading) {
    orders.no_longer_leads();
    return;
  }
  ++counters.elections;
  if (work.in_hand()) {
    work.push(members.linked_all());
    for (const auto& share : work.shares_in_hand())
      outbox.send(members.linked(), net::SharePush{share.template_hash, share.nonce});
  }
}

void NodeCore::State::take_progress(const Durability::Progress& progress) {
  for (const auto& entry : progress.durable) became_durable(entry, false);
  for (const auto& entry : progress.durable_with_turn) became_durable(entry, true);
  for (const auto& entry : progress.conflicts) {
    ++counters.key_conflicts;
    // The client hears of it, but the body stays: it may be part of a block that another leader has
    // proposed, or have been durable before a restart. A block will place or reject it.
    clients.key_conflict(entry.commitment);
    forwarding.settled(entry.commitment, net::SettleResult::kConflict);
  }
}

void NodeCore::State::on_applied(const AppliedBlock& block) {
  const chain::Height height = block.sealed.header.height;
  for (const auto* placed : {&block.settled.placed, &block.settled.placed_twins})
    for (const auto& one : *placed) {
      clients.completed(one.commitment, one.position, one.version, height);
      told_by_block(one.commitment);
    }
  for (const auto* rejected : {&block.settled.rejected, &block.settled.rejected_twins})
    for (const auto& one : *rejected) {
      clients.rejected(one.commitment, one.reason, one.stream_version, height);
      told_by_block(one.commitment);
    }
  certifier.applied({block.sealed, block.id, block.before, block.after, block.certificate});
  if (block.after != block.before) members_changed(*block.before);
  orders.applied(block.orders, height);
  catch_up.tip_moved(!block.certificate.empty(), now);
  hearsay.tip_moved(height);
  note_certified();
  ++counters.blocks_committed;
  recent_shares.add(block.sealed);
  counters.events_completed += block.settled.placed.size();
  counters.events_rejected += block.settled.rejected.size();

  if (proposed && proposed->header.height <= height) {
    if (chain::block_id(*proposed) != block.id && proposed->header.height == height) {
      ++counters.blocks_stale;
      ledger.note_stale(*proposed, "another block was committed at this height");
    }
    proposed.reset();
  }
  if (adopting && adopting->height <= height) adopting.reset();
  for (auto it = pushed.begin(); it != pushed.end();)
    it = it->second.height <= height ? pushed.erase(it) : std::next(it);
  taken_up.clear();
  work.tip_moved(now);
  witness.save();
  look_at_pushed();
  tell_tip(members.linked_all());
  outbox.add(TipMoved{height, block.id, block.log_size, block.settled.placed.size(),
                      block.sealed.seal.sealed_at});
}

void NodeCore::State::note_certified() {
  clients.certified(certifier.certified());
}

void NodeCore::State::lead() {
  if (!is_leading()) return;
  if (work.lead(now, orders_for_block())) ++counters.templates_made;
  orders.placed(work.take_order_results(), ledger.state().height());
  counters.easings = work.easings();
  propose_seal();
}

void NodeCore::State::propose_seal() {
  if (!is_leading()) return;
  const auto sealed = work.take_seal(now);
  if (!sealed) return;
  if (replica.propose(consensus::encode_decision(*sealed), now)) {
    proposed = *sealed;
  } else {
    work.unseal();  // leadership is being transferred or was lost in this turn
  }
}

void NodeCore::State::try_adopt() {
  // Where a certified block is at hand, no other is worth looking at.
  if (!adopting || decider.is_following()) return;
  const auto& state = ledger.state();
  if (adopting->height > state.height().next()) return;
  // Whoever pushed it has the bodies; who votes asks the leader, who has them in any case.
  decider.at(now, is_voter() || follows_leader() ? leader : adopting_from);
  const CheckedRef checked =
      decider.adopt(chain::template_hash(*adopting), *adopting, adopting_from);
  decider.at(now, leader);
  if (!checked) return;
  adopting.reset();
  if (work.adopt(checked, now)) {
    ++counters.templates_adopted;
    taken_up.insert(checked->hash);
    relay_template(*checked);
  }
  for (const auto& [peer, shares] : std::exchange(early_shares, {})) {
    for (const auto& share : shares) {
      if (!members.is_linked(peer)) break;  // one of them was one too many
      take_share(share, peer, counters.peer_shares);
    }
  }
}

void NodeCore::State::take_share(const mining::ShareFound& share,
                                 const std::optional<chain::NodeId>& from, ShareCounts& counts) {
  switch (work.share(share)) {
    case BlockWork::ShareResult::kAccepted:
      ++counts.accepted;
      relay_share(share, from);
      break;
    case BlockWork::ShareResult::kKnown:
      ++counts.duplicate;
      break;
    case BlockWork::ShareResult::kSurplus:
      ++counts.surplus;
      break;
    case BlockWork::ShareResult::kStale:
      ++counts.stale;
      break;
    case BlockWork::ShareResult::kOtherTemplate:
      // The own miner is never ahead of the node that gives it its orders.
      if (!from) {
        ++counts.stale;
      } else {
        auto& early = early_shares[*from];
        early.push_back(share);
        if (early.size() > early_shares_max()) early.pop_front();
      }
      break;
    case BlockWork::ShareResult::kRefused:
      ++counts.refused;
      if (from)
        peer_fault(*from, Conduct::Fault::kWasteful,
                   "a share that misses the target or uses a slot of nobody");
      break;
  }
}

}  // namespace eventchain::node
