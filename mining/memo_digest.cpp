#include "mining/memo_digest.h"

#include <optional>

#include "chain/hash.h"

namespace eventchain::mining {

std::optional<MemoDigest::Known> MemoDigest::find(const Name& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(name);
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

void MemoDigest::keep(const Name& name, const Known& known) const {
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = known_.emplace(name, known);
  if (!is_new) {
    if (known.is_of_second_look) at->second = known;
    return;
  }
  in_order_.push_back(name);
  if (in_order_.size() <= remembered_) return;
  known_.erase(in_order_.front());
  in_order_.pop_front();
}

chain::Hash MemoDigest::digest(const chain::SharePreimage& preimage) const {
  const Name name = chain::sha256(preimage.view());
  if (const auto known = find(name)) return known->hash;
  const chain::Hash hash = computing_.digest(preimage);
  keep(name, {hash, false});
  return hash;
}

std::optional<chain::Hash> MemoDigest::again(const chain::SharePreimage& preimage) const {
  const Name name = chain::sha256(preimage.view());
  if (const auto known = find(name); known && known->is_of_second_look) return known->hash;
  const auto hash = computing_.again(preimage);
  if (hash) keep(name, {*hash, true});
  return hash;
}

std::vector<chain::Hash> MemoDigest::digests(
    std::span<const chain::SharePreimage> preimages) const {
  std::vector<chain::Hash> result(preimages.size());
  std::vector<chain::SharePreimage> missing;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < preimages.size(); ++i) {
    if (const auto known = find(chain::sha256(preimages[i].view()))) {
      result[i] = known->hash;
    } else {
      missing.push_back(preimages[i]);
      places.push_back(i);
    }
  }
  if (missing.empty()) return result;
  const std::vector<chain::Hash> computed = computing_.digests(missing);
  for (std::size_t i = 0; i < computed.size(); ++i) {
    result[places[i]] = computed[i];
    keep(chain::sha256(missing[i].view()), {computed[i], false});
  }
  return result;
}

bool MemoDigest::knows(const chain::SharePreimage& preimage) const {
  return find(chain::sha256(preimage.view())).has_value();
}

}  // namespace eventchain::mining
