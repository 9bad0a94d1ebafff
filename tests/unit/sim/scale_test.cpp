#include "tests/sim/scale.h"

#include <doctest/doctest.h>

using namespace eventchain::sim;
using namespace std::chrono_literals;

namespace {

ScaleOptions small() {
  ScaleOptions options;
  options.voters = 5;
  options.observers = 25;
  options.interval_ms = 1000;
  options.share_count = 8;
  options.events = 60;
  options.event_every = 50ms;
  options.body_bytes = 100;
  options.mining_blocks = 15;
  options.grace_ms = 2000;
  return options;
}

}  // namespace

// The checkers are behind each commit of the run, and throw: one chain, every promise kept, slots
// that never overlap, the same chain at all nodes at the end.
TEST_CASE("thirty nodes in a sparse mesh admit, mine, lose half and replace voters") {
  const ScaleReport report = run_scale(small());
  CHECK(report.shares_checked == report.blocks * small().share_count);

  // Nobody is linked to everybody, and every body still comes to each node about once.
  CHECK(report.observers.links.mean < 20);
  CHECK(report.observers.copies_received.mean > 0.5);
  CHECK(report.observers.copies_received.max < 1.5);
  CHECK(report.voters.copies_received.mean < 2.5);
  CHECK(report.everywhere.count == small().events);
  CHECK(report.everywhere.max < 60s);

  // Half of the nodes find half, and nothing else changes.
  const double ratio = report.half.rate_busy / report.all.rate_busy;
  CHECK(ratio > 0.3);
  CHECK(ratio < 0.75);
  CHECK(report.all.elections == 0);
  CHECK(report.half.elections == 0);
  CHECK(report.half.events > 0);
  CHECK(report.unplaced == 0);

  CHECK(report.follower_replaced < 60s);
  CHECK(report.leader_replaced < 60s);
}

TEST_CASE("a run in a sparse mesh is the same every time") {
  ScaleOptions options = small();
  options.observers = 8;
  options.voters = 3;
  options.events = 10;
  options.mining_blocks = 3;
  CHECK(run_scale(options).trace_hash == run_scale(options).trace_hash);
}
