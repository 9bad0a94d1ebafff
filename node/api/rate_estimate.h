#pragma once

#include <optional>

#include "chain/hash_rates.h"

namespace eventchain::node {

// Hashes a second, and bounds that the true rate lies between in at least 95 of 100 cases.
struct RateEstimate {
  double per_second = 0;
  double low = 0;
  double high = 0;
  bool operator==(const RateEstimate&) const = default;
};

// Shares come as a Poisson process, so n of them tell a rate to about 1/sqrt(n); the bounds are
// those of Fay and Feuer (Statistics in Medicine 16, 1997) for weighted Poisson counts, which also
// say something of one who found none. Nothing where no time has passed.
std::optional<RateEstimate> estimate_rate(const chain::ShareSum& sum);

}  // namespace eventchain::node
