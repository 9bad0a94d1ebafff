#include "chain/hash_rates.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace eventchain::chain {

namespace {

// The part of cases that each bound leaves out, and the normal distribution's value for it.
constexpr double kTail = 0.025;
constexpr double kTailDeviations = 1.959963984540054;
// From here on the approximation of Wilson and Hilferty is better than one in ten thousand.
constexpr double kLargeShape = 200;

// ln of the gamma function by Stirling's series. The library's keeps a sign in a global variable
// that all threads share.
double log_gamma(double x) {
  double shifted = 0;
  for (; x < 8; x += 1) shifted += std::log(x);
  const double square = 1 / (x * x);
  const double series = (1.0 / 12 - square * (1.0 / 360 - square / 1260)) / x;
  return (x - 0.5) * std::log(x) - x + 0.5 * std::log(2 * 3.14159265358979323846) + series -
         shifted;
}

// P(shape, x), the regularised lower incomplete gamma function, by its series.
double gamma_below(double shape, double x) {
  if (x <= 0) return 0;
  double term = 1;
  double sum = 1;
  for (double n = shape + 1; term > sum * 1e-15; n += 1) {
    term *= x / n;
    sum += term;
  }
  return std::min(1.0, sum * std::exp(shape * std::log(x) - x - log_gamma(shape + 1)));
}

// The value below which a gamma variable of this shape and scale 1 falls with probability kTail,
// or 1 - kTail if `is_upper`.
double gamma_quantile(double shape, bool is_upper) {
  const double deviations = is_upper ? kTailDeviations : -kTailDeviations;
  if (shape >= kLargeShape)
    return shape * std::pow(1 - 1 / (9 * shape) + deviations / (3 * std::sqrt(shape)), 3);
  const double part = is_upper ? 1 - kTail : kTail;
  double low = 0;
  double high = shape + 10 * std::sqrt(shape) + 10;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (gamma_below(shape, middle) < part ? low : high) = middle;
  }
  return (low + high) / 2;
}

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

std::optional<RateEstimate> estimate_rate(const ShareSum& sum) {
  if (sum.seconds <= 0 || sum.hardest <= 0) return std::nullopt;
  RateEstimate made;
  made.per_second = sum.hashes / sum.seconds;
  if (sum.hashes > 0) {
    const double shape = sum.hashes * sum.hashes / sum.squares;
    made.low = gamma_quantile(shape, false) * sum.squares / sum.hashes / sum.seconds;
  }
  // As if one more had just been found, the hardest: what was found may end short of it.
  const double hashes = sum.hashes + sum.hardest;
  const double squares = sum.squares + sum.hardest * sum.hardest;
  made.high = gamma_quantile(hashes * hashes / squares, true) * squares / hashes / sum.seconds;
  return made;
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

void RecentRate::add(const SealedHeader& block) {
  blocks_.push_back({mining_facts(block), block.seal.shares.size()});
  if (blocks_.size() > blocks_max_) blocks_.pop_front();
}

// Summed anew each time: taking sums apart again would gather the errors of years.
std::optional<RateEstimate> RecentRate::estimate() const {
  ShareSum sum;
  for (const Block& one : blocks_) sum.add(one.facts, one.shares);
  return estimate_rate(sum);
}

double expected_seconds(const U256& share_target, std::uint64_t shares, double hashes_per_second) {
  if (shares == 0) return 0;
  if (hashes_per_second <= 0) return std::numeric_limits<double>::infinity();
  return static_cast<double>(shares) * expected_hashes(share_target).to_double() /
         hashes_per_second;
}

}  // namespace eventchain::chain
