// Compares ways to set the difficulty over patterns of spare capacity. Prints a table in Markdown.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>

#include "tools/difficulty/run.h"

namespace {

using namespace eventchain::tools;

void row(const Capacity& capacity, DifficultyRule& rule, const RuleSettings& settings,
         std::uint64_t seed) {
  const Outcome outcome = mine(capacity, rule, settings, seed);
  fmt::print("| {} | {} | {} | {} | {:.2f} | {:.2f} | {:.2f} | {:.1f} | {:.2f} | {:.1f} |\n",
             capacity.name, rule.name(), settings.shares, outcome.blocks, outcome.mean,
             outcome.variation, outcome.p99, outcome.longest, outcome.wait, outcome.most_a_minute);
}

void compare(double days, std::uint64_t seed) {
  fmt::print("| capacity | rule | shares | blocks | mean | CV | p99 | longest | wait | most |\n");
  fmt::print("|---|---|---|---|---|---|---|---|---|---|\n");
  const auto seconds = static_cast<std::size_t>(days * 24 * 3600);
  for (const Capacity& capacity : capacities(seconds, seed)) {
    for (const std::uint16_t shares : {std::uint16_t{1}, std::uint16_t{16}}) {
      RuleSettings settings;
      settings.shares = shares;
      settings.first_share_hashes =
          capacity.hashes_per_ms.front() * static_cast<double>(settings.interval_ms) / shares;
      for (const auto& make : {own_rule, epoch_rule, lwma_rule}) {
        const auto rule = make(settings);
        row(capacity, *rule, settings, seed);
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  double days = 3;
  std::uint64_t seed = 1;
  CLI::App app("Difficulty rules over patterns of spare capacity, in target intervals of 10 s.",
               "eventchain-difficulty");
  app.add_option("--days", days, "how long each run lasts")
      ->check(CLI::Range(0.01, 1000.0))
      ->capture_default_str();
  app.add_option("--seed", seed, "of the shares and of the random capacity")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  compare(days, seed);
  return 0;
}
