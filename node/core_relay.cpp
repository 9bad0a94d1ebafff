// What goes on from node to node where not everybody is linked to the leader: the word of who
// leads, events on their way to a voter, templates on theirs to the miners, shares on theirs back.

#include <algorithm>
#include <set>
#include <utility>

#include "consensus/configuration.h"
#include "net/limits.h"
#include "node/core_state.h"

namespace eventchain::node {

namespace {

constexpr std::size_t kAnnounceMax = 8192;  // of the oldest
// What spread here is on its way to the leader without this node. If no block has placed it after
// so long, somebody spread what voters do not hold; then it is brought to them, some at a time.
constexpr std::chrono::minutes kSpreadPatience{2};
constexpr std::size_t kHelpedMax = 256;
// Bodies sent for one request; whoever needs more asks again.
constexpr std::size_t kReplyBytesMax = std::size_t{8} * 1024 * 1024;
// A leader eases a target or follows another a few times at one height. Whoever pushes more is not
// followed by those that cannot tell who leads.
constexpr std::size_t kTakenUpMax = 64;

}  // namespace

// --- who leads ----------------------------------------------------------------------------------

// Nodes without a vote hear of a voter who leads, and how much it knows.
void NodeCore::State::tell_tip(const std::vector<chain::NodeId>& to) {
  const net::TipSaid tip{ledger.state().height(), ledger.state().tip};
  net::TipSaid word = tip;
  if (is_voter()) {
    word.term = replica.term();
    word.leader = leader;
    // Rounded up, so that nobody takes it for younger than it is. A new voter that Raft has not
    // reached yet has no term to say it in, although it knows from others how fresh it is.
    if (as_of && word.term.value > 0)
      word.age =
          std::chrono::ceil<std::chrono::milliseconds>(now.steady.since_start - as_of->since_start);
  }
  for (const chain::NodeId& peer : to) {
    net::TipSaid said = members.is_voter(peer) ? tip : word;
    said.clock = clock_watch.say(peer, now);
    outbox.send(peer, std::move(said));
  }
}

void NodeCore::State::tell_outsiders() {
  tell_at = now.steady + kTellEvery;
  if (!is_voter()) return;
  std::vector<chain::NodeId> to = members.linked();
  std::erase_if(to, [this](const chain::NodeId& node) { return members.is_voter(node); });
  tell_tip(to);
}

std::optional<chain::NodeId> NodeCore::State::known_leader() const {
  if (is_voter()) return leader;
  const auto word = hearsay.latest();
  if (!word || !word->leader || word->leader == members.self_id()) return leader;
  return leader && replica.term() >= word->term ? leader : word->leader;
}

// --- events -------------------------------------------------------------------------------------

void NodeCore::State::accept(chain::HeldEvent event) {
  if (is_voter()) {
    durability.accepted(std::move(event));
  } else {
    forwarding.accepted({event.facts.key, event.facts.commitment});
  }
}

void NodeCore::State::said(const chain::NodeId& peer, net::EventsSubmit message) {
  const bool is_refused = !is_voter() || !takes_events() || !forwarding.has_room(peer, message);
  std::vector<Forwarding::Taken> taken;
  taken.reserve(message.events.size());
  bool gate_may_open = false;
  bool is_sound = true;
  for (auto& raw : message.events) {
    auto event = chain::hold_event(raw.salt, std::move(raw.body), ledger.limits());
    if (!event) {
      peer_fault(peer, Conduct::Fault::kBroken, event.error().message);
      is_sound = false;
      break;
    }
    const chain::EntryRef entry{event->facts.key, event->facts.commitment};
    const bool is_needed = decider.awaits(entry);
    if (is_refused && !is_needed) {
      taken.push_back({entry.commitment, net::SettleResult::kRefused});
      continue;
    }
    fetcher.got_event(entry);
    const Origin origin = is_needed ? Origin::kWanted : Origin::kSubmitted;
    const Holding holding = ledger.hold(*event, origin, now);
    const net::SettleResult result = take_submitted(*event, holding);
    taken.push_back({holding.commitment, is_refused ? net::SettleResult::kRefused : result});
    gate_may_open = decider.arrived(entry) || gate_may_open;
  }
  // A batch that has no room is answered, and not kept: nothing of it is open.
  if (is_sound) forwarding.take(peer, message.batch, taken);
  if (gate_may_open) reconsider();
}

// What is known at once of an event that another node accepted, and now is in hand here.
net::SettleResult NodeCore::State::take_submitted(chain::HeldEvent& event, const Holding& holding) {
  switch (holding.state) {
    case Holding::State::kNew:
      accept(std::move(event));
      return net::SettleResult::kOpen;
    case Holding::State::kPending:
      if (holding.stage == chain::PendingStage::kDurable) return net::SettleResult::kDurable;
      // Where somebody waits for it already, the voters are being asked.
      if (!clients.is_waiting(holding.commitment) && !forwarding.is_awaited(holding.commitment))
        if (auto held = ledger.load({event.facts.key, holding.commitment}))
          accept(std::move(*held));
      return net::SettleResult::kOpen;
    case Holding::State::kPlaced:
    case Holding::State::kRejected:
      return net::SettleResult::kDurable;  // and more: the block tells
    case Holding::State::kConflict:
    case Holding::State::kPast:
      break;
  }
  return net::SettleResult::kConflict;
}

void NodeCore::State::said(const chain::NodeId& peer, const net::EventsSettled& message) {
  take_progress(forwarding.said(peer, message, now.steady));
}

// What is open goes the other way: who votes counts copies, who does not asks a voter.
void NodeCore::State::role_changed(const chain::MemberSet& before) {
  const chain::Member* self = chain::find_member(before, members.self_id());
  const bool voted = self != nullptr && self->role == chain::MemberRole::kVoter;
  if (voted == is_voter()) return;
  if (voted) {
    for (const auto& entry : durability.take_open()) forwarding.accepted(entry);
    return;
  }
  for (const auto& entry : forwarding.take_open())
    if (auto held = ledger.load(entry)) durability.accepted(std::move(*held));
}

void NodeCore::State::announce_pending() {
  announce_at = now.steady + kAnnounceEvery;
  certifier.repeat();
  const auto to = announcee();
  if (!to) return;
  net::EventsAnnounce message;
  std::size_t helped = 0;
  for (const chain::PendingEvent& pending : ledger.pool().in_order()) {
    if (message.entries.size() == kAnnounceMax) break;
    const bool is_others = pending.is_spread && !is_voter();
    if (is_others && (now.steady - pending.since < kSpreadPatience || ++helped > kHelpedMax))
      continue;
    message.entries.push_back({pending.facts.key, pending.facts.commitment});
  }
  if (!message.entries.empty()) outbox.send(*to, std::move(message));
}

// Whom to tell of pending events: the leader; where it is not linked, one after the other of the
// voters, or of all if no voter is, so that none of them can keep an event from it for ever. What
// they fetch, they announce in turn.
std::optional<chain::NodeId> NodeCore::State::announcee() {
  if (leader == members.self_id()) return std::nullopt;
  if (follows_leader()) return leader;
  if (is_voter()) return std::nullopt;
  std::vector<chain::NodeId> to = members.linked();
  if (!to.empty() && members.is_voter(to.front()))
    std::erase_if(to, [this](const chain::NodeId& node) { return !members.is_voter(node); });
  if (to.empty()) return std::nullopt;
  return to[announced++ % to.size()];
}

// --- bodies -------------------------------------------------------------------------------------

// Who handed it to this voter spreads it himself.
void NodeCore::State::became_durable(const chain::EntryRef& entry, bool with_turn) {
  ++counters.events_durable;
  ledger.mark_durable(entry.commitment);
  clients.durable(entry.commitment, with_turn);
  if (!forwarding.is_awaited(entry.commitment)) gossip.spread(entry.commitment, {}, now.steady);
  forwarding.settled(entry.commitment, net::SettleResult::kDurable);
}

// What came because its spreading was told of.
void NodeCore::State::spread_on(const chain::Commitment& commitment, const Holding& holding,
                                Gossip::Knowing knowing) {
  if (holding.state == Holding::State::kNew)
    gossip.spread(commitment, std::move(knowing), now.steady);
  else
    gossip.pass_over(commitment);
}

void NodeCore::State::said(const chain::NodeId& peer, const net::EventsAnnounce& message) {
  Serving::Left* left = serving.begin_announcement(peer);
  if (left == nullptr) return;
  std::vector<chain::EntryRef> lacking;
  for (const auto& entry : message.entries) {
    if (!left->may_look_up()) break;
    left->looked_up(1);
    const bool is_wanted = fetcher.wants(entry);
    if (!is_wanted && ledger.holds(entry)) continue;
    if (!is_wanted) left->missed();
    lacking.push_back(entry);
  }
  if (!members.is_voter(peer) && lacking.size() > room_for_announced())
    lacking.resize(room_for_announced());
  if (!lacking.empty()) fetcher.announced(lacking, peer, now);
  if (is_voter()) return;  // whoever accepts an event takes it to the voters
  std::vector<chain::ShortId> ids = message.ids;
  ids.resize(std::min(ids.size(), left->lookups));
  left->looked_up(ids.size());
  std::erase_if(ids, [this](const chain::ShortId& id) { return fetcher.wants(id); });
  gossip.told(ids, peer);
}

void NodeCore::State::said(const chain::NodeId& peer, const net::EventsRequest& message) {
  Serving::Left* left = serving.begin_search(peer);
  if (left == nullptr) return;
  const std::size_t bytes_max = std::min(kReplyBytesMax, left->bytes);
  net::Events part;
  std::size_t part_bytes = 0;
  std::size_t total_bytes = 0;
  std::vector<chain::EntryRef> entries = message.entries;
  for (const auto& id : message.ids) {
    if (left->lookups == 0) break;
    left->looked_up(1);
    if (const chain::PendingEvent* pending = ledger.pool().find(id))
      entries.push_back({pending->facts.key, pending->facts.commitment});
  }
  std::set<chain::Commitment> served;
  for (const auto& entry : entries) {
    if (!served.insert(entry.commitment).second) continue;  // once, however often it is named
    if (!left->may_look_up()) break;
    left->looked_up(1);
    auto event = ledger.load(entry);
    if (!event) {
      left->missed();
      if (event.error().code == chain::ErrorCode::kCorrupt)
        outbox.notice(Notice::Level::kError, event.error().message);
      continue;
    }
    total_bytes += event->body.size();
    if (total_bytes > bytes_max) break;
    if (!part.events.empty() && (part_bytes + event->body.size() > net::limits::kEventsBytesMax ||
                                 part.events.size() == net::limits::kEventsCountMax)) {
      outbox.send(peer, std::exchange(part, {}));
      part_bytes = 0;
    }
    part_bytes += event->body.size();
    part.events.push_back({event->salt, std::move(event->body)});
  }
  left->read(total_bytes);
  if (!part.events.empty()) outbox.send(peer, std::move(part));
}

// --- templates ----------------------------------------------------------------------------------

// Who cannot tell the leader's template takes up what a voter took up last, and from others what is
// later by the leader's own clock, each template once.
bool NodeCore::State::is_newer_to_outsider(const chain::NodeId& peer,
                                           const chain::TemplateHeader& header) const {
  if (is_voter() || follows_leader()) return false;
  if (taken_up.size() >= kTakenUpMax || taken_up.contains(chain::template_hash(header)))
    return false;
  if (members.is_voter(peer)) return true;
  const CheckedRef in_hand = work.in_hand();
  if (in_hand && header.time <= in_hand->made.header.time) return false;
  if (!adopting || adopting->height > header.height) return true;
  return adopting->height == header.height && adopting->time < header.time;
}

// What was pushed ahead of its time.
void NodeCore::State::look_at_pushed() {
  if (adopting) return;
  for (const auto& [peer, header] : pushed) {
    if (header.height != ledger.state().height().next() || !is_newer_to_outsider(peer, header))
      continue;
    adopting = header;
    adopting_from = peer;
  }
}

// Voters have it from the leader itself. Pre: it is in hand.
void NodeCore::State::relay_template(const CheckedTemplate& checked) {
  std::vector<chain::NodeId> to = members.linked_all();
  std::erase_if(to, [&](const chain::NodeId& peer) {
    const auto known = pushed.find(peer);
    return members.is_voter(peer) ||
           (known != pushed.end() && known->second == checked.made.header);
  });
  work.push(std::move(to));
}

// --- shares -------------------------------------------------------------------------------------

// Shares are for the voters, of whom one leads or will lead; voters are linked all to all.
void NodeCore::State::relay_share(const mining::ShareFound& share,
                                  const std::optional<chain::NodeId>& from) {
  if (from && members.is_voter(*from)) return;
  std::vector<chain::NodeId> to = members.linked();
  // Without a voter in reach, somebody else may have one.
  if (is_voter() || (!to.empty() && members.is_voter(to.front())))
    std::erase_if(to, [this](const chain::NodeId& node) { return !members.is_voter(node); });
  if (from) std::erase(to, *from);
  outbox.send(std::move(to), net::SharePush{share.template_hash, share.nonce});
}

CatchUp::Standing NodeCore::State::standing() const {
  if (has_leaders_role()) return CatchUp::Standing::kLeads;
  const auto* server =
      consensus::find_server(replica.configuration(), server_of(members.self_id()));
  return server != nullptr ? CatchUp::Standing::kServed : CatchUp::Standing::kOutside;
}

}  // namespace eventchain::node
