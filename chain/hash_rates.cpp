#include "chain/hash_rates.h"

#include <algorithm>
#include <limits>

namespace eventchain::chain {

namespace {

// Stamps come from outside and may lie anywhere.
double seconds_between(UnixMillis from, UnixMillis to) {
  return std::max(0.0, static_cast<double>(to.value) - static_cast<double>(from.value)) / 1000;
}

}  // namespace

MiningFacts mining_facts(const SealedHeader& block) {
  const auto target = expand(block.header.share_target);
  return {target ? expected_hashes(*target).to_double() : 0,
          seconds_between(block.header.time, block.seal.sealed_at)};
}

void ShareSum::add(const MiningFacts& block, std::uint64_t found) {
  const double each = block.hashes_each;
  const auto count = static_cast<double>(found);
  ++blocks;
  shares += found;
  hashes += count * each;
  squares += count * each * each;
  hardest = std::max(hardest, each);
  seconds += block.seconds;
}

void HashRates::add(const SealedHeader& block, const MemberSet& members) {
  const MiningFacts facts = mining_facts(block);
  total_.add(facts, block.seal.shares.size());
  std::map<Slot, std::uint64_t> found;
  for (const Nonce& nonce : block.seal.shares) ++found[nonce.slot()];
  for (const Member& member : members.members) {
    const auto own = found.find(member.slot);
    Of& of = members_[member.node];
    of.sum.add(facts, own == found.end() ? 0 : own->second);
    if (own == found.end()) continue;
    of.last_height = block.header.height;
    of.last_sealed_at = block.seal.sealed_at;
  }
}

void RecentShares::add(const SealedHeader& block) {
  blocks_.push_back({mining_facts(block), block.seal.shares.size()});
  if (blocks_.size() > blocks_max_) blocks_.pop_front();
}

ShareSum RecentShares::sum() const {
  ShareSum sum;
  for (const Block& one : blocks_) sum.add(one.facts, one.shares);
  return sum;
}

double expected_seconds(const U256& share_target, std::uint64_t shares, double hashes_per_second) {
  if (shares == 0) return 0;
  if (hashes_per_second <= 0) return std::numeric_limits<double>::infinity();
  return static_cast<double>(shares) * expected_hashes(share_target).to_double() /
         hashes_per_second;
}

}  // namespace eventchain::chain
