#include "node/gossip.h"

#include <algorithm>
#include <utility>

namespace eventchain::node {

namespace {

// False if it was there, or there is no room.
bool note(Gossip::Knowing& knowing, const chain::NodeId& peer) {
  if (knowing.size() >= Gossip::kKnowingMax || std::ranges::count(knowing, peer) > 0) return false;
  knowing.push_back(peer);
  return true;
}

}  // namespace

// --- telling ------------------------------------------------------------------------------------

void Gossip::spread(const chain::Commitment& held, Knowing knowing, chain::Instant now) {
  if (!members_.has_linked_observers()) return;
  if (gathered_.empty()) tell_at_ = now + kGatherFor;
  gathered_.emplace(chain::short_id(held), std::move(knowing));
  if (gathered_.size() >= kGatheredMax) tell();
}

void Gossip::tell() {
  // Who takes up a template needs no word of what it places, and those who lack it have the
  // template.
  std::erase_if(gathered_,
                [this](const auto& one) { return ledger_.pool().find(one.first) == nullptr; });
  std::vector<chain::NodeId> to = members_.linked_observers();
  if (members_.is_voter(members_.self_id()) && to.size() > kToldByVoter) {
    for (std::size_t i = 0; i < kToldByVoter; ++i)
      std::swap(to[i], to[i + rng_.below(to.size() - i)]);
    to.resize(kToldByVoter);
  }
  std::map<std::vector<chain::ShortId>, std::vector<chain::NodeId>> words;
  for (const chain::NodeId& peer : to) {
    std::vector<chain::ShortId> ids;
    for (const auto& [id, knowing] : gathered_)
      if (std::ranges::count(knowing, peer) == 0) ids.push_back(id);
    if (!ids.empty()) words[std::move(ids)].push_back(peer);
  }
  for (const auto& [ids, peers] : words) outbox_.send(peers, net::EventsAnnounce{{}, ids});
  gathered_.clear();
}

// --- hearing ------------------------------------------------------------------------------------

void Gossip::told(const std::vector<chain::ShortId>& ids, const chain::NodeId& by) {
  Source& source = sources_[by];
  for (const chain::ShortId& id : ids) {
    if (const auto mine = gathered_.find(id); mine != gathered_.end()) {
      note(mine->second, by);
      continue;
    }
    if (ledger_.pool().find(id) != nullptr || is_passed(id)) continue;
    auto wanted = wanted_.find(id);
    if (wanted == wanted_.end()) {
      if (wanted_.size() >= kWantedMax || source.queue.size() >= kQueueMax) continue;
      wanted = wanted_.emplace(id, Wanted{}).first;
    }
    const bool is_asked = wanted->second.asked.has_value();
    if (!is_asked && source.queue.size() >= kQueueMax) continue;
    if (note(wanted->second.knowing, by) && !is_asked) source.queue.push_back(id);
  }
}

std::optional<Gossip::Knowing> Gossip::arrived(const chain::Commitment& commitment,
                                               chain::Instant now) {
  const auto wanted = wanted_.find(chain::short_id(commitment));
  if (wanted == wanted_.end()) return std::nullopt;
  // Where bodies are large the last of an answer comes long after the first.
  if (wanted->second.asked) sources_.at(*wanted->second.asked).until = now + kAnswerWithin;
  close(wanted->second);
  Knowing knowing = std::move(wanted->second.knowing);
  wanted_.erase(wanted);
  return knowing;
}

void Gossip::pass_over(const chain::Commitment& commitment) {
  if (passed_.size() >= kPassedMax) passed_before_ = std::exchange(passed_, {});
  passed_.insert(chain::short_id(commitment));
}

std::optional<chain::NodeId> Gossip::hand_over(const chain::Commitment& commitment) {
  const auto wanted = wanted_.find(chain::short_id(commitment));
  if (wanted == wanted_.end()) return std::nullopt;
  close(wanted->second);
  const auto asked = wanted->second.asked;
  wanted_.erase(wanted);
  return asked;
}

bool Gossip::is_asking(const chain::Commitment& commitment) const {
  const auto wanted = wanted_.find(chain::short_id(commitment));
  return wanted != wanted_.end() && wanted->second.asked;
}

void Gossip::close(const Wanted& wanted) {
  if (!wanted.asked) return;
  --sources_.at(*wanted.asked).open;
  --open_;
}

// --- asking -------------------------------------------------------------------------------------

void Gossip::ask_another(WantedEvents::iterator wanted) {
  close(wanted->second);
  std::erase(wanted->second.knowing, *wanted->second.asked);
  wanted->second.asked.reset();
  // It may have come another way.
  if (wanted->second.knowing.empty() || ledger_.pool().find(wanted->first) != nullptr) {
    wanted_.erase(wanted);
    return;
  }
  // It has waited for longer than what is in the queue.
  sources_[wanted->second.knowing.front()].queue.push_front(wanted->first);
}

void Gossip::peer_down(const chain::NodeId& peer) {
  const auto source = sources_.find(peer);
  if (source == sources_.end()) return;
  for (auto it = wanted_.begin(); it != wanted_.end();) {
    const auto wanted = it++;
    if (wanted->second.asked == peer) {
      ask_another(wanted);
    } else if (std::erase(wanted->second.knowing, peer) == 0) {
      continue;
    } else if (wanted->second.knowing.empty()) {
      wanted_.erase(wanted);
    } else if (!wanted->second.asked) {  // it may have been in that queue alone
      sources_[wanted->second.knowing.front()].queue.push_front(wanted->first);
    }
  }
  sources_.erase(source);
}

void Gossip::ask(const chain::NodeId& peer, Source& source, chain::Instant now, std::size_t room) {
  source.asked.clear();
  while (!source.queue.empty() && source.asked.size() < kAskedMax && open_ < room) {
    const chain::ShortId id = source.queue.front();
    source.queue.pop_front();
    const auto wanted = wanted_.find(id);
    if (wanted == wanted_.end() || wanted->second.asked) continue;
    if (std::ranges::count(wanted->second.knowing, peer) == 0) continue;  // it was asked in vain
    if (ledger_.pool().find(id) != nullptr) {
      wanted_.erase(wanted);
      continue;
    }
    wanted->second.asked = peer;
    source.asked.push_back(id);
    ++source.open;
    ++open_;
  }
  if (source.asked.empty()) return;
  source.until = now + kAnswerWithin;
  outbox_.send(peer, net::EventsRequest{{}, source.asked});
}

void Gossip::forget_unasked() {
  for (auto& [peer, source] : sources_) source.queue.clear();
  std::erase_if(wanted_, [](const auto& one) { return !one.second.asked; });
}

void Gossip::follow_up(chain::Instant now, std::size_t room) {
  if (!gathered_.empty() && tell_at_ <= now) tell();
  for (auto& [peer, source] : sources_) {
    if (source.open == 0 || source.until > now) continue;
    for (const chain::ShortId& id : std::exchange(source.asked, {}))
      if (const auto wanted = wanted_.find(id);
          wanted != wanted_.end() && wanted->second.asked == peer)
        ask_another(wanted);
  }
  if (room == 0) forget_unasked();
  for (auto& [peer, source] : sources_)
    if (source.open == 0) ask(peer, source, now, room);
}

std::optional<chain::Instant> Gossip::next_deadline() const {
  std::optional<chain::Instant> next;
  const auto consider = [&](chain::Instant at) { next = next ? std::min(*next, at) : at; };
  if (!gathered_.empty()) consider(tell_at_);
  for (const auto& [peer, source] : sources_)
    if (source.open > 0) consider(source.until);
  return next;
}

}  // namespace eventchain::node
