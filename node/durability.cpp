#include "node/durability.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "chain/planted.h"
#include "net/limits.h"

namespace eventchain::node {

Durability::VoterSet Durability::bit_of(const chain::NodeId& node) const {
  const auto& voters = members_.voters();
  const auto found = std::ranges::find(voters, node);
  return found == voters.end() ? 0 : VoterSet{1} << (found - voters.begin());
}

void Durability::accepted(chain::HeldEvent event) {
  gathered_.push_back(std::move(event));
}

Durability::Progress Durability::turn_begins() {
  Progress progress;
  if (uncounted_turn_ == outbox_.turn()) return progress;
  for (const std::uint64_t id : std::exchange(uncounted_, {})) {
    const auto found = batches_.find(id);
    if (found == batches_.end()) continue;
    for (VoterSet& holders : found->second.holders) holders |= bit_of(members_.self_id());
    evaluate(found->second, progress);
    if (found->second.unfinished == 0) batches_.erase(found);
  }
  return progress;
}

bool Durability::is_patient() const {
  return !uncounted_.empty() && uncounted_turn_ == outbox_.turn();
}

Durability::Progress Durability::flush(chain::Instant now) {
  Progress progress;
  // All of them when the first is due: the receiver then takes them into one turn.
  if (!trailing_.empty() && trailing_.front().due <= now) send_trailing();
  std::vector<chain::HeldEvent> part;
  std::size_t bytes = 0;
  for (auto& event : std::exchange(gathered_, {})) {
    if (!part.empty() && (bytes + event.body.size() > net::limits::kEventsBytesMax ||
                          part.size() == net::limits::kEventsCountMax)) {
      open(std::exchange(part, {}), now, progress);
      bytes = 0;
    }
    bytes += event.body.size();
    part.push_back(std::move(event));
  }
  if (!part.empty()) open(std::move(part), now, progress);
  return progress;
}

std::optional<chain::Instant> Durability::next_deadline() const {
  // The last turn is over, and what it made durable is to be counted.
  if (!uncounted_.empty() && uncounted_turn_ != outbox_.turn()) return chain::Instant{};
  std::optional<chain::Instant> next;
  for (const auto& [voter, since] : unequal_since_)
    if (!next || since + kOfferAgain < *next) next = since + kOfferAgain;
  if (!trailing_.empty() && (!next || trailing_.front().due < *next)) next = trailing_.front().due;
  return next;
}

void Durability::send_trailing() {
  for (Trailing& one : std::exchange(trailing_, {}))
    outbox_.send_ahead(std::move(one.to), std::move(one.message));
}

Durability::Route Durability::route(chain::Instant now) const {
  const auto distance = [&](const chain::NodeId& node) {
    if (leader_ == node) return 0;
    const auto owes = owes_since_.find(node);
    return owes == owes_since_.end() || now - owes->second < kTrailing ? 1 : 2;
  };
  std::vector<chain::NodeId> voters;
  for (const auto& voter : members_.voters())
    if (voter == members_.self_id() || members_.is_linked(voter)) voters.push_back(voter);
  std::ranges::stable_sort(voters, {}, distance);
  // Without a leader nothing can become durable, and nobody knows yet whom it will take.
  const std::size_t quorum = leader_ ? members_.majority() : voters.size();
  Route route;
  route.is_self_in_quorum = false;
  for (std::size_t i = 0; i < voters.size(); ++i) {
    if (voters[i] == members_.self_id()) {
      route.is_self_in_quorum = i < quorum;
    } else {
      (i < quorum ? route.at_once : route.trailing).push_back(voters[i]);
    }
  }
  return route;
}

void Durability::open(std::vector<chain::HeldEvent> events, chain::Instant now,
                      Progress& progress) {
  const std::uint64_t id = next_batch_++;
  Route to = route(now);
  Batch batch;
  batch.turn = outbox_.turn();
  net::Events message;
  message.batch = id;
  message.events.reserve(events.size());
  for (auto& event : events) {
    batch.entries.push_back({event.facts.key, event.facts.commitment});
    message.events.push_back({event.salt, std::move(event.body)});
  }
  batch.holders.assign(batch.entries.size(), to.is_self_in_quorum ? bit_of(members_.self_id()) : 0);
  batch.finished.assign(batch.entries.size(), false);
  batch.unfinished = batch.entries.size();
  evaluate(batch, progress);
  for (const auto& node : to.at_once) owes_since_.emplace(node, now);
  if (!to.trailing.empty()) trailing_.push_back({now + kTrailing, std::move(to.trailing), message});
  outbox_.send_ahead(std::move(to.at_once), std::move(message));
  if (to.is_self_in_quorum) {
    urgent_turn_ = outbox_.turn();
  } else {
    uncounted_turn_ = outbox_.turn();
    uncounted_.push_back(id);
  }
  if (batch.unfinished > 0) batches_.emplace(id, std::move(batch));
}

Durability::Progress Durability::held(const chain::NodeId& by, const net::EventsHeld& answer,
                                      chain::Instant now) {
  Progress progress;
  const auto found = batches_.find(answer.batch);
  const VoterSet holder = bit_of(by);
  owes_since_.erase(by);
  if (found == batches_.end() || holder == 0) return progress;
  if (answer.voters_since != members_.set().voters_since) {
    unequal_since_.emplace(by, now);
    return progress;
  }
  Batch& batch = found->second;
  if (answer.results.size() != batch.entries.size()) return progress;
  for (std::size_t i = 0; i < answer.results.size(); ++i) {
    if (answer.results[i] == net::HoldResult::kHeld) {
      batch.holders[i] |= holder;
    } else if (answer.results[i] == net::HoldResult::kConflict && leader_ == by &&
               !batch.finished[i]) {
      batch.finished[i] = true;
      --batch.unfinished;
      progress.conflicts.push_back(batch.entries[i]);
    }
  }
  evaluate(batch, progress);
  if (batch.unfinished == 0) batches_.erase(found);
  return progress;
}

void Durability::evaluate(Batch& batch, Progress& progress, bool rests_on_block) const {
  if (!leader_) return;
  const VoterSet leader = bit_of(*leader_);
  if (leader == 0) return;
  const VoterSet own = bit_of(members_.self_id());
  const std::size_t enough =
      members_.majority() - (chain::is_planted(chain::Mistake::kQuorumOffByOne) ? 1 : 0);
  const auto is_enough = [&](VoterSet holders) {
    return (holders & leader) != 0 && static_cast<std::size_t>(std::popcount(holders)) >= enough;
  };
  for (std::size_t i = 0; i < batch.entries.size(); ++i) {
    if (batch.finished[i]) continue;
    const VoterSet holders = batch.holders[i];
    if (!is_enough(holders)) continue;
    batch.finished[i] = true;
    --batch.unfinished;
    const bool rests_on_turn =
        rests_on_block || (batch.turn == outbox_.turn() && !is_enough(holders & ~own));
    (rests_on_turn ? progress.durable_with_turn : progress.durable).push_back(batch.entries[i]);
  }
}

void Durability::peer_up(const chain::NodeId& peer, Ledger& ledger) {
  if (!members_.is_voter(peer)) return;
  for (auto it = batches_.begin(); it != batches_.end();) {
    const auto& [id, batch] = *it;
    std::vector<chain::HeldEvent> held;
    bool is_whole = true;
    for (std::size_t i = 0; i < batch.entries.size(); ++i) {
      auto event = ledger.load(batch.entries[i]);
      if (event) {
        held.push_back(std::move(*event));
      } else {
        is_whole = false;  // another variant of it was placed or rejected meanwhile
      }
    }
    if (!is_whole) {
      for (auto& event : held) gathered_.push_back(std::move(event));
      it = batches_.erase(it);
      continue;
    }
    net::Events message;
    message.batch = id;
    for (auto& event : held) message.events.push_back({event.salt, std::move(event.body)});
    outbox_.send(peer, std::move(message));
    ++it;
  }
}

Durability::Progress Durability::voters_changed(Ledger& ledger) {
  Progress progress;
  owes_since_.clear();
  send_trailing();
  for (auto& [id, batch] : batches_) {
    // The own copy counts with the turn that made it, which flush() and turn_begins() see to.
    const bool is_counted = std::ranges::find(uncounted_, id) == uncounted_.end();
    std::ranges::fill(batch.holders, is_counted ? bit_of(members_.self_id()) : 0);
  }
  for (const auto& voter : members_.voters())
    if (members_.is_linked(voter)) peer_up(voter, ledger);
  for (auto it = batches_.begin(); it != batches_.end();) {
    evaluate(it->second, progress, true);  // the block that changed them is of this turn
    it = it->second.unfinished == 0 ? batches_.erase(it) : std::next(it);
  }
  return progress;
}

std::vector<chain::EntryRef> Durability::take_open() {
  std::vector<chain::EntryRef> open;
  for (const auto& [id, batch] : std::exchange(batches_, {}))
    for (std::size_t i = 0; i < batch.entries.size(); ++i)
      if (!batch.finished[i]) open.push_back(batch.entries[i]);
  for (const auto& event : std::exchange(gathered_, {}))
    open.push_back({event.facts.key, event.facts.commitment});
  trailing_.clear();
  owes_since_.clear();
  unequal_since_.clear();
  uncounted_.clear();
  return open;
}

void Durability::offer_again(Ledger& ledger, chain::Instant now) {
  for (auto it = unequal_since_.begin(); it != unequal_since_.end();) {
    if (now - it->second < kOfferAgain) {
      ++it;
      continue;
    }
    const chain::NodeId voter = it->first;
    it = unequal_since_.erase(it);
    if (members_.is_linked(voter)) peer_up(voter, ledger);
  }
}

Durability::Progress Durability::leader_is(std::optional<chain::NodeId> leader) {
  Progress progress;
  leader_ = leader;
  owes_since_.clear();
  send_trailing();  // among those that were not waited for may be the new leader
  for (auto it = batches_.begin(); it != batches_.end();) {
    evaluate(it->second, progress);
    it = it->second.unfinished == 0 ? batches_.erase(it) : std::next(it);
  }
  return progress;
}

}  // namespace eventchain::node
