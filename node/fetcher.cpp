#include "node/fetcher.h"

#include <algorithm>
#include <utility>

#include "net/limits.h"

namespace eventchain::node {

namespace {

// Long against a round trip between sites, short against a block interval.
constexpr std::chrono::milliseconds kRetryAfter{300};
// With nobody linked there is nothing to do before a link comes up, which retries anyway.
constexpr std::chrono::milliseconds kNobodyThere{1000};
// Bodies that may be open when those of a block whose turn has not come are wanted. What a block on
// top of the tip needs is never left out; there are few such blocks at a time.
constexpr std::size_t kAheadMax = 200'000;

}  // namespace

std::optional<chain::NodeId> Fetcher::pick(std::optional<chain::NodeId> avoid) {
  std::vector<chain::NodeId> linked = members_.linked();
  if (linked.size() > 1 && avoid)
    linked.erase(std::remove(linked.begin(), linked.end(), *avoid), linked.end());
  if (linked.empty()) return std::nullopt;
  return linked[rng_.below(linked.size())];
}

Fetcher::Asked Fetcher::ask(std::optional<chain::NodeId> hint, std::optional<chain::NodeId> avoid,
                            const chain::Now& now) {
  Asked asked;
  asked.peer = hint && members_.is_linked(*hint) ? hint : pick(avoid);
  asked.again = now.steady + (asked.peer ? kRetryAfter : kNobodyThere);
  due_at(asked);
  return asked;
}

Fetcher::Asked Fetcher::ask_for_large(std::optional<chain::NodeId> hint,
                                      std::optional<chain::NodeId> avoid, int tries,
                                      const chain::Now& now) {
  Asked asked = ask(hint, avoid, now);
  const int doublings = std::min(tries - 1, 5);
  if (asked.peer) asked.again = now.steady + std::min(kLargeFirst * (1 << doublings), kLargeLast);
  return asked;
}

void Fetcher::want_template(const chain::TemplateHash& hash, chain::Height height,
                            std::optional<chain::NodeId> hint, const chain::Now& now) {
  const auto known = templates_.find(hash);
  if (known != templates_.end()) {
    // Who is known to have it by now is asked at once, and not for each word of it.
    const bool is_news = hint && members_.is_linked(*hint) && known->second.hint != hint;
    if (!is_news || known->second.asked.peer == hint) return;
  }
  Template& wanted = templates_[hash];
  wanted.height = height;
  wanted.asked = ask_for_large(hint, std::nullopt, 1, now);
  wanted.hint = hint;
  wanted.tries = 1;
  request(hash, wanted);
}

void Fetcher::request(const chain::TemplateHash& hash, Template& wanted) {
  if (!wanted.asked.peer) return;
  wanted.asked_of.insert(*wanted.asked.peer);
  outbox_.send(*wanted.asked.peer, net::TemplateRequest{hash, wanted.height});
}

bool Fetcher::has_asked(const chain::NodeId& peer, const chain::TemplateHash& hash) const {
  const auto wanted = templates_.find(hash);
  return wanted != templates_.end() && wanted->second.asked_of.contains(peer);
}

void Fetcher::want_events(const std::vector<chain::EntryRef>& entries,
                          std::optional<chain::NodeId> hint, const chain::Now& now) {
  std::map<chain::NodeId, std::vector<chain::EntryRef>> by_peer;
  const Asked asked = ask(hint, std::nullopt, now);
  for (const auto& entry : entries) {
    const auto known = events_.find(entry.commitment);
    if (known != events_.end()) {
      // Who is known to have it may help where others did not.
      const bool is_in_vain =
          known->second.tries > 2 && hint && asked.peer == hint && known->second.asked.peer != hint;
      if (!known->second.announcer && !is_in_vain) continue;
      // What was only announced is needed now: it is asked for at once and not given up any more.
      if (known->second.announcer) --announced_[*known->second.announcer];
      known->second = Event{entry, asked, std::nullopt};
      if (asked.peer) by_peer[*asked.peer].push_back(entry);
      continue;
    }
    if (const auto peer = gossip_.hand_over(entry.commitment)) {
      const Asked before{peer, now.steady + kRetryAfter};
      due_at(before);
      events_.emplace(entry.commitment, Event{entry, before, std::nullopt});
      continue;
    }
    events_.emplace(entry.commitment, Event{entry, asked, std::nullopt});
    if (asked.peer) by_peer[*asked.peer].push_back(entry);
  }
  send_event_requests(by_peer);
}

void Fetcher::announced(const std::vector<chain::EntryRef>& entries, const chain::NodeId& peer,
                        const chain::Now& now) {
  std::map<chain::NodeId, std::vector<chain::EntryRef>> by_peer;
  const Asked asked = ask(peer, std::nullopt, now);
  std::size_t& open = announced_[peer];
  for (const auto& entry : entries) {
    if (open >= kAnnouncedMax) break;
    if (gossip_.is_asking(entry.commitment)) continue;
    const auto [event, is_new] = events_.try_emplace(entry.commitment, Event{entry, asked, peer});
    if (!is_new) {
      // A voter's word is worth more (see where it arrives): it is its wish from now on.
      auto& announcer = event->second.announcer;
      if (!announcer || members_.is_voter(*announcer) || !members_.is_voter(peer)) continue;
      --announced_[*announcer];
      announcer = peer;
      ++open;
      continue;
    }
    ++open;
    if (asked.peer) by_peer[*asked.peer].push_back(entry);
  }
  send_event_requests(by_peer);
}

bool Fetcher::has_room_ahead() const {
  return events_.size() < kAheadMax;
}

bool Fetcher::wants(const chain::ShortId& id) const {
  chain::Commitment first;
  std::ranges::copy(id.octets, first.octets.begin());
  const auto event = events_.lower_bound(first);
  return event != events_.end() && chain::short_id(event->first) == id;
}

std::optional<chain::NodeId> Fetcher::announcer(const chain::EntryRef& entry) const {
  const auto event = events_.find(entry.commitment);
  return event == events_.end() ? std::nullopt : event->second.announcer;
}

bool Fetcher::got_event(const chain::EntryRef& entry) {
  const auto event = events_.find(entry.commitment);
  if (event == events_.end()) return false;
  if (event->second.asked.peer) answering_.insert(*event->second.asked.peer);
  forget(event);
  return true;
}

void Fetcher::keep_templates(const std::function<bool(const chain::TemplateHash&)>& is_needed) {
  std::erase_if(templates_, [&](const auto& one) { return !is_needed(one.first); });
}

void Fetcher::forget_events(
    const std::unordered_set<chain::Commitment, chain::FixedBytesHash>& entries) {
  for (const auto& commitment : entries)
    if (const auto event = events_.find(commitment); event != events_.end()) forget(event);
}

std::map<chain::Commitment, Fetcher::Event>::iterator Fetcher::forget(
    std::map<chain::Commitment, Event>::iterator event) {
  if (event->second.announcer) --announced_[*event->second.announcer];
  return events_.erase(event);
}

void Fetcher::want_blocks(chain::Height from, std::uint32_t count,
                          std::optional<chain::NodeId> hint, const chain::Now& now) {
  if (blocks_ && blocks_->from == from) return;
  blocks_ =
      Blocks{from, std::min(count, blocks_at_once_), ask_for_large(hint, std::nullopt, 1, now), {}};
  request(*blocks_);
}

void Fetcher::request(Blocks& wanted) {
  if (!wanted.asked.peer) return;
  wanted.asked_of.insert(*wanted.asked.peer);
  outbox_.send(*wanted.asked.peer, net::BlocksRequest{wanted.from, wanted.count});
}

bool Fetcher::got_blocks(chain::Height from, const chain::NodeId& peer, bool has_any) {
  if (!blocks_ || blocks_->from != from || blocks_->asked_of.erase(peer) == 0) return false;
  if (!has_any && blocks_->asked.peer != peer) return false;
  constexpr std::uint32_t kMost = net::limits::kBlocksPerReplyMax;
  if (blocks_->tries == 1) blocks_at_once_ = std::min(kMost, 2 * blocks_at_once_);
  blocks_.reset();
  return true;
}

void Fetcher::ask_for_fewer_blocks() {
  blocks_->count = std::max<std::uint32_t>(1, blocks_->count / 2);
  blocks_at_once_ = blocks_->count;
  ++blocks_->tries;
}

void Fetcher::retry(const chain::Now& now,
                    const std::function<bool(const chain::EntryRef&)>& is_settled) {
  deadline_.reset();
  const auto is_due = [&](const Asked& asked) {
    if (asked.again > now.steady) due_at(asked);
    return asked.again <= now.steady;
  };
  for (auto& [hash, wanted] : templates_) {
    if (!is_due(wanted.asked)) continue;
    if (wanted.asked.peer) ++wanted.tries;
    wanted.asked = ask_for_large(std::nullopt, wanted.asked.peer, wanted.tries, now);
    request(hash, wanted);
  }
  std::map<chain::NodeId, std::vector<chain::EntryRef>> by_peer;
  std::optional<Asked> asked;
  for (auto it = events_.begin(); it != events_.end();) {
    Event& event = it->second;
    if (!is_due(event.asked)) {
      ++it;
    } else if (is_settled(event.entry)) {
      it = forget(it);
    } else if (event.announcer && event.tries >= kAnnouncedTries) {
      it = forget(it);
    } else {
      const bool is_answering = event.asked.peer && answering_.contains(*event.asked.peer);
      if (!asked) asked = ask(std::nullopt, event.asked.peer, now);
      event.asked = *asked;
      if (event.announcer) {
        event.asked.again = now.steady + kRetryAfter * (1 << event.tries);
      } else if (asked->peer) {
        const int doublings = std::clamp(event.tries - 1, 0, kDoublingsMax);
        event.asked.again = now.steady + kRetryAfter * (1 << doublings);
      }
      if (event.announcer || (asked->peer && !is_answering)) ++event.tries;
      if (asked->peer) by_peer[*asked->peer].push_back(event.entry);
      ++it;
    }
  }
  answering_.clear();
  send_event_requests(by_peer);
  if (blocks_ && is_due(blocks_->asked)) {
    if (blocks_->asked.peer) ask_for_fewer_blocks();
    blocks_->asked = ask_for_large(std::nullopt, blocks_->asked.peer, blocks_->tries, now);
    request(*blocks_);
  }
}

void Fetcher::peer_up(const chain::Now& now) {
  for (auto& [commitment, event] : events_) {
    if (event.announcer || event.asked.again <= now.steady + kRetryAfter) continue;
    event.asked.again = now.steady + kRetryAfter;
    due_at(event.asked);
  }
}

void Fetcher::peer_down(const chain::NodeId& peer) {
  const auto release = [&](Asked& asked) {
    if (asked.peer != peer) return;
    asked = Asked{std::nullopt, chain::Instant{}};
    due_at(asked);
  };
  for (auto& [hash, wanted] : templates_) release(wanted.asked);
  for (auto& [commitment, event] : events_) release(event.asked);
  if (blocks_ && blocks_->asked.peer == peer) {
    release(blocks_->asked);
    ask_for_fewer_blocks();
  }
}

void Fetcher::due_at(const Asked& asked) {
  if (!deadline_ || asked.again < *deadline_) deadline_ = asked.again;
}

void Fetcher::send_event_requests(
    const std::map<chain::NodeId, std::vector<chain::EntryRef>>& by_peer) {
  for (const auto& [peer, entries] : by_peer) {
    for (std::size_t from = 0; from < entries.size(); from += net::limits::kEventsCountMax) {
      const std::size_t to = std::min(entries.size(), from + net::limits::kEventsCountMax);
      outbox_.send(peer, net::EventsRequest{{entries.begin() + static_cast<std::ptrdiff_t>(from),
                                             entries.begin() + static_cast<std::ptrdiff_t>(to)}});
    }
  }
}

}  // namespace eventchain::node
