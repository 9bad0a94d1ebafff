#include "node/forwarding.h"

#include <algorithm>

#include "net/limits.h"

namespace eventchain::node {

using net::SettleResult;

// --- as a node without a vote -------------------------------------------------------------------

bool Forwarding::may_ask(const chain::NodeId& voter, chain::Instant now) const {
  if (!members_.is_voter(voter) || !members_.is_linked(voter)) return false;
  const auto avoided = avoided_.find(voter);
  return avoided == avoided_.end() || avoided->second.until <= now;
}

std::optional<chain::NodeId> Forwarding::pick(const std::optional<chain::NodeId>& leader,
                                              chain::Instant now) {
  if (leader && may_ask(*leader, now)) return leader;
  if (via_ && may_ask(*via_, now)) return via_;
  // The next one by slot. Where the first begins is random, so that voters share the work.
  const auto& voters = members_.voters();
  const auto last = via_ ? std::ranges::find(voters, *via_) : voters.end();
  const std::size_t begin = last == voters.end() ? static_cast<std::size_t>(next_batch_)
                                                 : static_cast<std::size_t>(last - voters.begin());
  for (std::size_t i = 1; i <= voters.size(); ++i) {
    const chain::NodeId& voter = voters[(begin + i) % voters.size()];
    if (may_ask(voter, now)) return voter;
  }
  return std::nullopt;
}

void Forwarding::avoid(const chain::NodeId& voter, chain::Instant now) {
  Avoided& avoided = avoided_[voter];
  if (avoided.until > now) return;  // another batch has said so in this very step
  avoided.wait = avoided.wait.count() == 0
                     ? std::chrono::nanoseconds(kAvoidFirst)
                     : std::min<std::chrono::nanoseconds>(avoided.wait * 2, kAvoidLast);
  avoided.until = now + avoided.wait;
}

bool Forwarding::send(std::uint64_t id, Sent& batch, const chain::NodeId& to, chain::Instant now) {
  net::EventsSubmit message;
  message.batch = id;
  std::vector<chain::EntryRef> entries;
  for (std::size_t i = 0; i < batch.entries.size(); ++i) {
    if (batch.settled[i]) continue;
    // A variant that is not held any more had its answer when another was placed.
    auto event = ledger_.load(batch.entries[i]);
    if (!event) continue;
    entries.push_back(batch.entries[i]);
    message.events.push_back({event->salt, std::move(event->body)});
  }
  if (entries.empty()) return false;
  batch.settled.assign(entries.size(), false);
  batch.entries = std::move(entries);
  batch.to = to;
  batch.answer_by = now + kAnswerWithin;
  via_ = to;
  outbox_.send_ahead({to}, std::move(message));
  return true;
}

std::vector<chain::EntryRef> Forwarding::take_waiting() {
  std::vector<chain::EntryRef> entries;
  std::size_t bytes = 0;
  while (!waiting_.empty() && entries.size() < net::limits::kEventsCountMax) {
    const chain::PendingEvent* pending = ledger_.pool().find(waiting_.front().commitment);
    if (pending == nullptr) {  // it was placed or rejected while it waited
      waiting_.pop_front();
      continue;
    }
    bytes += pending->facts.body_bytes;
    if (!entries.empty() && bytes > net::limits::kEventsBytesMax) break;
    entries.push_back(waiting_.front());
    waiting_.pop_front();
  }
  return entries;
}

void Forwarding::send_due(const std::optional<chain::NodeId>& leader, chain::Instant now) {
  for (auto& [id, batch] : sent_) {
    if (!batch.to || batch.answer_by > now) continue;
    avoid(*batch.to, now);
    batch.to.reset();
  }
  for (auto it = sent_.begin(); it != sent_.end();) {
    auto& [id, batch] = *it;
    if (!batch.to) {
      const auto voter = pick(leader, now);
      if (!voter) return;
      if (!send(id, batch, *voter, now)) {
        it = sent_.erase(it);
        continue;
      }
    }
    ++it;
  }
  while (!waiting_.empty() && sent_.size() < kSentMax) {
    const auto voter = pick(leader, now);
    if (!voter) return;
    Sent batch;
    batch.entries = take_waiting();
    batch.settled.assign(batch.entries.size(), false);
    const std::uint64_t id = next_batch_++;
    if (send(id, batch, *voter, now)) sent_.emplace(id, std::move(batch));
  }
}

Durability::Progress Forwarding::said(const chain::NodeId& peer, const net::EventsSettled& answer,
                                      chain::Instant now) {
  Durability::Progress progress;
  const auto found = sent_.find(answer.batch);
  if (found == sent_.end()) return progress;
  Sent& batch = found->second;
  // An answer to an earlier sending may be of more events than are left.
  if (batch.to != peer || answer.results.size() != batch.entries.size()) return progress;
  bool is_refused = false;
  bool is_over = true;
  for (std::size_t i = 0; i < batch.entries.size(); ++i) {
    if (batch.settled[i]) continue;
    switch (answer.results[i]) {
      case SettleResult::kDurable:
        progress.durable.push_back(batch.entries[i]);
        batch.settled[i] = true;
        break;
      case SettleResult::kConflict:
        progress.conflicts.push_back(batch.entries[i]);
        batch.settled[i] = true;
        break;
      case SettleResult::kRefused:
        is_refused = true;
        is_over = false;
        break;
      case SettleResult::kOpen:
        is_over = false;
        break;
    }
  }
  if (is_refused) {
    avoid(peer, now);
    batch.to.reset();
  } else {
    avoided_.erase(peer);
    batch.answer_by = now + kAnswerWithin;
  }
  if (is_over) sent_.erase(found);
  return progress;
}

std::vector<chain::EntryRef> Forwarding::take_open() {
  std::vector<chain::EntryRef> open;
  for (const auto& [id, batch] : std::exchange(sent_, {}))
    for (std::size_t i = 0; i < batch.entries.size(); ++i)
      if (!batch.settled[i]) open.push_back(batch.entries[i]);
  open.insert(open.end(), waiting_.begin(), waiting_.end());
  waiting_.clear();
  avoided_.clear();
  return open;
}

// --- as a voter ---------------------------------------------------------------------------------

bool Forwarding::has_room(const chain::NodeId& peer, const net::EventsSubmit& message) const {
  if (taken_.contains({peer, message.batch})) return true;
  if (taken_events_ + message.events.size() > kTakenEventsMax) return false;
  const auto begin = taken_.lower_bound({peer, 0});
  const auto end = taken_.upper_bound({peer, ~std::uint64_t{0}});
  return static_cast<std::size_t>(std::distance(begin, end)) < kTakenMax;
}

void Forwarding::take(const chain::NodeId& peer, std::uint64_t batch,
                      const std::vector<Taken>& events) {
  const TakenId id{peer, batch};
  if (const auto before = taken_.find(id); before != taken_.end()) forget(before);
  TakenBatch& made = taken_[id];
  made.has_news = true;  // whatever is known at once; and that somebody is there
  news_.push_back(id);
  for (const Taken& event : events) {
    if (event.result == SettleResult::kOpen) {
      awaited_[event.held].push_back({id, made.held.size()});
      ++made.open;
    }
    made.held.push_back(event.held);
    made.results.push_back(event.result);
  }
  taken_events_ += made.held.size();
}

void Forwarding::settled(const chain::Commitment& held, SettleResult result) {
  const auto found = awaited_.find(held);
  if (found == awaited_.end()) return;
  for (const Place& place : found->second) {
    TakenBatch& batch = taken_.at(place.batch);
    batch.results[place.index] = result;
    --batch.open;
    if (!std::exchange(batch.has_news, true)) news_.push_back(place.batch);
  }
  awaited_.erase(found);
}

Forwarding::TakenBatches::iterator Forwarding::forget(TakenBatches::iterator batch) {
  for (std::size_t i = 0; i < batch->second.held.size(); ++i) {
    if (batch->second.results[i] != SettleResult::kOpen) continue;
    const auto found = awaited_.find(batch->second.held[i]);
    std::erase_if(found->second, [&](const Place& place) {
      return place.batch == batch->first && place.index == i;
    });
    if (found->second.empty()) awaited_.erase(found);
  }
  taken_events_ -= batch->second.held.size();
  return taken_.erase(batch);
}

void Forwarding::answer() {
  for (const TakenId& id : std::exchange(news_, {})) {
    const auto found = taken_.find(id);
    if (found == taken_.end() || !std::exchange(found->second.has_news, false)) continue;
    outbox_.send(id.first, net::EventsSettled{id.second, found->second.results});
    if (found->second.open == 0) forget(found);
  }
}

// --- both ---------------------------------------------------------------------------------------

void Forwarding::peer_down(const chain::NodeId& peer) {
  avoided_.erase(peer);
  for (auto& [id, batch] : sent_)
    if (batch.to == peer) batch.to.reset();
  for (auto it = taken_.lower_bound({peer, 0}); it != taken_.end() && it->first.first == peer;)
    it = forget(it);
}

void Forwarding::follow_up(const std::optional<chain::NodeId>& leader, chain::Instant now) {
  if (!members_.is_voter(members_.self_id())) send_due(leader, now);
  answer();
}

bool Forwarding::wants_voter() const {
  if (!waiting_.empty() && sent_.size() < kSentMax) return true;
  return std::ranges::any_of(sent_, [](const auto& one) { return !one.second.to.has_value(); });
}

std::optional<chain::Instant> Forwarding::next_deadline() const {
  std::optional<chain::Instant> next;
  const auto consider = [&](chain::Instant at) { next = next ? std::min(*next, at) : at; };
  for (const auto& [id, batch] : sent_)
    if (batch.to) consider(batch.answer_by);
  if (wants_voter())
    for (const auto& [voter, avoided] : avoided_)
      if (members_.is_voter(voter) && members_.is_linked(voter)) consider(avoided.until);
  return next;
}

}  // namespace eventchain::node
