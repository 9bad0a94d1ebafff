#include "tests/sim/registry.h"

#include <algorithm>

namespace eventchain::sim {

chain::HeldEvent Registry::submit(const chain::Salt& salt, const chain::Bytes& body) {
  auto held = chain::hold_event(salt, body, chain::EventLimits{});
  EC_ASSERT(held.has_value(), "the workload makes sound events only");
  const auto fresh = ContentId{static_cast<std::uint32_t>(contents_.size())};
  const ContentId content = contents_.emplace(body, fresh).first->second;
  submitted_.emplace(held->facts.commitment, Submitted{held->facts, content});
  variants_.resize(contents_.size());
  variants_[content.value].push_back({held->facts.key, held->facts.commitment});
  auto& known = by_key_[held->facts.key];
  if (std::find(known.begin(), known.end(), content) == known.end()) known.push_back(content);
  return std::move(*held);
}

const Submitted* Registry::find(const chain::Commitment& commitment) const {
  const auto found = submitted_.find(commitment);
  return found == submitted_.end() ? nullptr : &found->second;
}

std::size_t Registry::contents_of(const chain::EventKey& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? 0 : found->second.size();
}

}  // namespace eventchain::sim
