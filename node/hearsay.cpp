#include "node/hearsay.h"

#include <algorithm>

namespace eventchain::node {

void Hearsay::heard(const chain::NodeId& peer, const net::TipSaid& said, chain::Height tip,
                    chain::Instant now) {
  if (!members_.is_voter(peer) || said.term.value == 0) return;
  words_[peer] = {said.term, said.leader};
  if (!said.age) return;
  const chain::Instant then{now.since_start - *said.age};
  // Whoever never catches up keeps the lowest heights, which it reaches first.
  if (said.height > tip && awaited_.size() == kAwaitedMax && !awaited_.contains(said.height))
    return;
  const auto [place, is_new] = awaited_.emplace(said.height, then);
  if (!is_new) place->second = std::max(place->second, then);
  tip_moved(tip);
}

void Hearsay::tip_moved(chain::Height tip) {
  while (!awaited_.empty() && awaited_.begin()->first <= tip) {
    const chain::Instant then = awaited_.begin()->second;
    awaited_.erase(awaited_.begin());
    if (!as_of_ || *as_of_ < then) as_of_ = then;
  }
}

std::optional<Hearsay::Word> Hearsay::latest() const {
  std::optional<Word> latest;
  for (const auto& [peer, word] : words_) {
    if (!members_.is_voter(peer)) continue;
    const bool is_later =
        !latest || word.term > latest->term || (word.term == latest->term && !latest->leader);
    if (is_later) latest = word;
  }
  return latest;
}

}  // namespace eventchain::node
