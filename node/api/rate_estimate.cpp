#include "node/api/rate_estimate.h"

#include <boost/math/special_functions/gamma.hpp>

namespace eventchain::node {

namespace {

// The part of cases that each bound leaves out.
constexpr double kTail = 0.025;

}  // namespace

std::optional<RateEstimate> estimate_rate(const chain::ShareSum& sum) {
  if (sum.seconds <= 0 || sum.hardest <= 0) return std::nullopt;
  RateEstimate made;
  made.per_second = sum.hashes / sum.seconds;
  if (sum.hashes > 0) {
    const double shape = sum.hashes * sum.hashes / sum.squares;
    made.low = boost::math::gamma_p_inv(shape, kTail) * sum.squares / sum.hashes / sum.seconds;
  }
  // As if one more had just been found, the hardest: what was found may end short of it.
  const double hashes = sum.hashes + sum.hardest;
  const double squares = sum.squares + sum.hardest * sum.hardest;
  made.high =
      boost::math::gamma_q_inv(hashes * hashes / squares, kTail) * squares / hashes / sum.seconds;
  return made;
}

}  // namespace eventchain::node
