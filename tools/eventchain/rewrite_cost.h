#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node/api/rate_estimate.h"
#include "tools/eventchain/adversaries.h"
#include "tools/eventchain/chain_work.h"

// What it would cost to redo the work of a chain from some height on. Arithmetic alone; the sources
// of the rates are in adversaries.cpp, the words in cost_report.cpp.
namespace eventchain::tools {

// Of one currency.
struct Prices {
  double kwh = 0.20;
  double gpu_hour = 0.50;
};

struct CostQuestion {
  ChainWork chain;
  std::optional<double> given_rate;  // of the cluster, instead of what its shares tell
  double lent_part = 0.5;
  std::optional<double> measured_core;
  Prices prices;
  std::vector<Adversary> others;  // beyond the table
};

// How fast the true chain grows meanwhile.
struct Growth {
  std::optional<node::RateEstimate> mining;  // hashes a second while it mines; nothing: not known
  double busy = 1;                           // part of the time in which it does
};

struct Race {
  Adversary who;
  double alone_seconds = 0;  // for the same work, whatever others do
  // Until his chain has more work than the true one that grows on. Nothing: never, or not known.
  std::optional<double> overtake_seconds;
  std::optional<double> overtake_seconds_low;  // were the rate at its low end
  std::optional<double> kwh;                   // of the same work alone
  std::optional<double> money;
  std::optional<double> overtake_money;
};

struct RewriteCost {
  CostQuestion asked;
  Growth growth;
  std::vector<Race> races;
};

// Until `rate` hashes a second have done `work` and what comes on top at `growth` meanwhile.
std::optional<double> seconds_to_overtake(double work, double rate, double growth);

RewriteCost rewrite_cost(CostQuestion question);

}  // namespace eventchain::tools
