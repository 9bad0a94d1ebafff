#include "tests/sim/split.h"

#include <doctest/doctest.h>

using namespace eventchain::sim;

TEST_CASE("the time of a block falls with the number of miners, and hardly any work is in vain") {
  for (const std::size_t miners : {2U, 8U}) {
    CAPTURE(miners);
    const SplitReport report =
        run_split({.seed = 5, .observers = 5, .miners = miners, .blocks = 150});
    CHECK(report.target_stayed);
    CHECK(report.blocks == 150);
    const auto ratio = std::chrono::duration<double>(report.block_time) /
                       std::chrono::duration<double>(report.expected);
    // 2,400 shares of 150 blocks leave 2 % of chance.
    CHECK(ratio > 0.95);
    CHECK(ratio < 1.05);
    CHECK(report.on_dead_templates < 0.01);
    CHECK(report.without_work < 0.01);
  }
}
