#include "net/peer_book.h"

#include <algorithm>
#include <utility>

namespace eventchain::net {

using chain::Instant;
using chain::NodeId;
using std::chrono::nanoseconds;

namespace {

void ask_by(std::optional<Instant>& ask_again, Instant at) {
  ask_again = ask_again ? std::min(*ask_again, at) : at;
}

}  // namespace

PeerBook::PeerBook(NodeId self, const PeerRules& rules, const chain::Rng& rng)
    : self_(self), rules_(rules), rng_(rng) {}

void PeerBook::set_table(const PeerTable& table) {
  self_is_voter_ = table.self_is_voter;
  std::map<NodeId, Peer> told;
  for (const Peer& peer : table.peers)
    if (peer.node != self_) told[peer.node] = peer;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto current = entry++;
    if (told.count(current->first) != 0) continue;
    current->second.peer.reset();
    forget_if_idle(current);
  }
  for (const auto& [node, peer] : told) {
    Known& known = entries_[node];
    // Failures belong to an address: a new one is tried at once.
    if (known.peer && (known.peer->host != peer.host || known.peer->port != peer.port)) {
      known.failures = 0;
      known.retry_at = {};
    }
    known.peer = peer;
  }
}

bool PeerBook::has_room_for(NodeId node) const {
  const auto entry = entries_.find(node);
  if (entry != entries_.end()) {
    const Known& known = entry->second;
    if (known.is_voter()) return true;
    // It takes its own older link's place.
    if (known.link && known.link->origin == Origin::kAccepted) return true;
  }
  const std::size_t inbound = count([](const Known& known) {
    return known.link && known.link->origin == Origin::kAccepted && !known.is_voter();
  });
  return inbound < (self_is_voter_ ? rules_.inbound_max_of_voter : rules_.inbound_max);
}

bool PeerBook::opens_too_often(NodeId node, Instant now) const {
  const auto entry = entries_.find(node);
  return entry != entries_.end() &&
         entry->second.opened_until > now + rules_.opened_every * (rules_.opened_at_once - 1);
}

int PeerBook::dial_failed(NodeId node, DialFailure failure, Instant now) {
  const auto entry = entries_.find(node);
  if (entry == entries_.end()) return 0;
  Known& known = entry->second;
  known.is_dialling = false;
  // Of two connections that cross one fails, and nothing is wrong.
  if (known.link) return 0;
  // A voter that turns us away is full or overrun by handshakes, and knocking on would keep it so;
  // between voters a link matters more than the knocking costs.
  const bool is_urgent =
      known.is_voter() && (self_is_voter_ || failure == DialFailure::kUnreachable);
  back_off(known, is_urgent ? rules_.dial_max_voter : rules_.dial_max, now);
  const int failures = known.failures;
  forget_if_idle(entry);
  return failures;
}

void PeerBook::link_up(NodeId node, Origin origin, Instant now) {
  Known& known = entries_[node];
  if (origin == Origin::kDialled) known.is_dialling = false;
  known.link = Link{origin, now};
  if (origin == Origin::kAccepted)
    known.opened_until = std::max(known.opened_until, now) + rules_.opened_every;
}

void PeerBook::link_down(NodeId node, Instant now) {
  const auto entry = entries_.find(node);
  if (entry == entries_.end() || !entry->second.link) return;
  Known& known = entry->second;
  const nanoseconds age = now - known.link->since;
  // A link that never lasts is no better than a dial that fails.
  if (known.link->is_leaving || age >= limits::kLinkSteadyAfter) known.failures = 0;
  known.link.reset();
  back_off(known, known.is_voter() ? rules_.dial_max_voter : rules_.dial_max, now);
  forget_if_idle(entry);
}

PeerBook::Plan PeerBook::next(Instant now) {
  Plan plan;
  if (self_is_voter_) {
    is_rotating_ = false;
    rotate_at_.reset();
    plan_voter(now, plan);
  } else {
    begin_rotation(now);
    drop_surplus(plan);
    plan_others(now, plan);
    ask_by(plan.ask_again, *rotate_at_);
  }
  return plan;
}

void PeerBook::plan_voter(Instant now, Plan& plan) {
  for (Known* known : dialable(true, now, plan)) dial(*known, plan);
}

void PeerBook::plan_others(Instant now, Plan& plan) {
  const auto is_coming = [](const Known& known) { return known.is_linked() || known.is_dialling; };
  const auto is_own = [](const Known& known) { return known.is_own_link() || known.is_dialling; };
  // What the others in their back-off would be asked for matters only while a place is open.
  Plan waits_for_voters;
  Plan waits_for_rest;
  std::vector<Known*> voters = dialable(true, now, waits_for_voters);
  std::vector<Known*> rest = dialable(false, now, waits_for_rest);
  const auto take = [&plan](std::vector<Known*>& from, Known* known) {
    from.erase(std::find(from.begin(), from.end(), known));
    dial(*known, plan);
  };

  std::size_t linked_voters =
      count([&](const Known& known) { return known.is_voter() && is_coming(known); });
  const std::size_t wanted_voters = voters_for_each();
  for (; linked_voters < wanted_voters && !voters.empty(); ++linked_voters)
    take(voters, pick(voters));
  const bool lacks_voters = linked_voters < wanted_voters;

  std::size_t own = count(is_own);
  const std::size_t wanted = rules_.outgoing + (is_rotating_ ? 1 : 0);
  for (; own < wanted && !rest.empty(); ++own) take(rest, pick_by_site(rest));
  // A voter's links are dear, so beyond the first ones it is asked only when nobody else is left.
  for (; own < rules_.outgoing && !voters.empty(); ++own) take(voters, pick(voters));

  const bool lacks_links = own < rules_.outgoing;
  if ((lacks_voters || lacks_links) && waits_for_voters.ask_again)
    ask_by(plan.ask_again, *waits_for_voters.ask_again);
  if (own < wanted && waits_for_rest.ask_again) ask_by(plan.ask_again, *waits_for_rest.ask_again);
}

// Where the voters have no room for two links of everybody, one for everybody is better than two
// for those who come first.
std::size_t PeerBook::voters_for_each() const {
  const auto is_in_table = [](const Known& known) { return known.peer.has_value(); };
  const std::size_t voters = count([](const Known& known) { return known.is_voter(); });
  const std::size_t others = count(is_in_table) - voters + 1;  // and this node
  const std::size_t room = voters * rules_.inbound_max_of_voter / others;
  return std::clamp<std::size_t>(room, 1, std::max<std::size_t>(rules_.voters, 1));
}

void PeerBook::begin_rotation(Instant now) {
  // A quarter of jitter, so that nodes started together do not drift into step.
  const auto draw_next = [&] {
    return now + nanoseconds(rng_.between(rules_.rotate_every.count() * 3 / 4,
                                          rules_.rotate_every.count() * 5 / 4));
  };
  if (!rotate_at_) rotate_at_ = draw_next();
  if (now < *rotate_at_) return;
  rotate_at_ = draw_next();
  const auto is_spare = [](const Known& known) { return known.is_free() && !known.is_voter(); };
  const auto is_old = [](const Known& known) { return known.is_own_link() && !known.is_voter(); };
  is_rotating_ = count(is_spare) > 0 && count(is_old) > 0;
}

// Too many come of a rotation, or of voters that are back after others have stood in for them.
void PeerBook::drop_surplus(Plan& plan) {
  std::vector<std::pair<NodeId, Known*>> own;
  std::size_t own_count = 0;
  for (auto& [node, known] : entries_) {
    if (!known.is_own_link()) continue;
    ++own_count;
    if (!known.is_voter()) own.emplace_back(node, &known);
  }
  if (own_count <= rules_.outgoing) return;
  is_rotating_ = false;
  // The newest is the one that the others make room for.
  const auto newer = [](const auto& a, const auto& b) {
    return a.second->link->since < b.second->link->since;
  };
  if (const auto newest = std::max_element(own.begin(), own.end(), newer); newest != own.end())
    own.erase(newest);
  for (; own_count > rules_.outgoing && !own.empty(); --own_count) {
    const auto chosen = own.begin() + static_cast<std::ptrdiff_t>(rng_.below(own.size()));
    chosen->second->link->is_leaving = true;
    plan.hang_up.push_back(chosen->first);
    own.erase(chosen);
  }
}

std::vector<PeerBook::Known*> PeerBook::dialable(bool voters, Instant now, Plan& plan) {
  std::vector<Known*> found;
  for (auto& [node, known] : entries_) {
    if (!known.is_free() || known.is_voter() != voters) continue;
    if (known.retry_at <= now)
      found.push_back(&known);
    else
      ask_by(plan.ask_again, known.retry_at);
  }
  return found;
}

PeerBook::Known* PeerBook::pick(const std::vector<Known*>& from) {
  return from[rng_.below(from.size())];
}

PeerBook::Known* PeerBook::pick_by_site(std::vector<Known*> from) {
  std::map<std::string, std::size_t> links_to;
  for (const auto& [node, known] : entries_)
    if (known.peer && (known.is_linked() || known.is_dialling)) ++links_to[known.peer->site];
  std::size_t fewest = SIZE_MAX;
  for (const Known* known : from) fewest = std::min(fewest, links_to[known->peer->site]);
  from.erase(
      std::remove_if(from.begin(), from.end(),
                     [&](const Known* known) { return links_to[known->peer->site] != fewest; }),
      from.end());
  return pick(from);
}

void PeerBook::dial(Known& known, Plan& plan) {
  known.is_dialling = true;
  plan.dial.push_back(*known.peer);
}

void PeerBook::back_off(Known& known, nanoseconds delay_max, Instant now) {
  nanoseconds delay = rules_.dial_first;
  for (int i = 0; i < known.failures && delay < delay_max; ++i) delay *= 2;
  ++known.failures;
  known.retry_at = now + jittered(std::min(delay, delay_max));
}

// Half to whole of the delay, so that nodes started together do not dial in step.
nanoseconds PeerBook::jittered(nanoseconds delay) {
  return nanoseconds(rng_.between((delay.count() + 1) / 2, delay.count()));
}

void PeerBook::forget_if_idle(Entries::iterator entry) {
  const Known& known = entry->second;
  if (!known.peer && !known.link && !known.is_dialling) entries_.erase(entry);
}

}  // namespace eventchain::net
