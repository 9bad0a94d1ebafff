#include "tools/eventchain/rewrite_cost.h"

#include <algorithm>
#include <utility>

namespace eventchain::tools {

namespace {

constexpr double kHour = 3600;

Growth growth_of(const CostQuestion& question) {
  const ChainWork& chain = question.chain;
  Growth growth;
  growth.mining = node::estimate_rate(chain.recent);
  if (question.given_rate)
    growth.mining =
        node::RateEstimate{*question.given_rate, *question.given_rate, *question.given_rate};
  if (chain.recent_seconds > 0)
    growth.busy = std::min(1.0, chain.recent.seconds / chain.recent_seconds);
  return growth;
}

std::optional<double> kwh_of(const Adversary& who, double seconds) {
  if (who.watts <= 0) return std::nullopt;
  return who.watts / 1000 * seconds / kHour;
}

// What he himself pays.
std::optional<double> money_of(const Adversary& who, double seconds, const Prices& prices) {
  switch (who.pays) {
    case Adversary::Pays::kNotKnown:
    case Adversary::Pays::kOwner:
      return std::nullopt;
    case Adversary::Pays::kEnergy:
      return kwh_of(who, seconds).value_or(0) * prices.kwh;
    case Adversary::Pays::kGpuHours:
      return who.gpus * seconds / kHour * prices.gpu_hour;
  }
  return std::nullopt;
}

Race race_of(Adversary who, double work, const Growth& growth, const Prices& prices) {
  Race race;
  race.alone_seconds = work / who.hashes_per_second;
  race.kwh = kwh_of(who, race.alone_seconds);
  race.money = money_of(who, race.alone_seconds, prices);
  if (who.is_insider) {
    // The hosts cannot do both.
    race.overtake_seconds = race.overtake_seconds_low = race.alone_seconds;
  } else if (growth.mining) {
    const auto against = [&](double rate) {
      return seconds_to_overtake(work, who.hashes_per_second, rate * growth.busy);
    };
    race.overtake_seconds = against(growth.mining->per_second);
    race.overtake_seconds_low = against(growth.mining->low);
    if (race.overtake_seconds) race.overtake_money = money_of(who, *race.overtake_seconds, prices);
  }
  race.who = std::move(who);
  return race;
}

}  // namespace

std::optional<double> seconds_to_overtake(double work, double rate, double growth) {
  if (rate <= growth) return std::nullopt;
  return work / (rate - growth);
}

RewriteCost rewrite_cost(CostQuestion question) {
  RewriteCost cost;
  cost.growth = growth_of(question);
  const ChainWork& chain = question.chain;
  if (!is_workless(chain.terms.work_function)) {
    AdversaryTerms terms;
    terms.work_function = chain.terms.work_function;
    terms.cluster_rate = cost.growth.mining ? cost.growth.mining->per_second : 0;
    terms.lent_part = question.lent_part;
    terms.measured_core = question.measured_core;
    std::vector<Adversary> all = named_adversaries(terms);
    all.insert(all.end(), question.others.begin(), question.others.end());
    for (Adversary& who : all)
      cost.races.push_back(
          race_of(std::move(who), chain.hashes.to_double(), cost.growth, question.prices));
  }
  cost.asked = std::move(question);
  return cost;
}

}  // namespace eventchain::tools
