#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/sim/draws.h"

namespace eventchain::sim {

// A large cluster in a sparse mesh, from genesis to the end, with all checkers on, and what it
// costs. Nothing is asserted but what the checkers assert, and that each stage comes to its end.
struct ScaleOptions {
  std::uint64_t seed = 1;
  std::size_t voters = 7;  // 3, 5 or 7, which the policy then wants
  std::size_t observers = 293;
  std::uint32_t interval_ms = 10'000;
  std::uint16_t share_count = 16;
  std::size_t events = 600;                           // that are measured
  Span event_every = std::chrono::milliseconds(200);  // mean
  std::size_t body_bytes = 1024;
  std::size_t mining_blocks = 60;  // before half of the observers die, and again after
  std::uint32_t grace_ms = 10'000;
  std::function<void(const std::string&)> says = [](const std::string&) {};  // the stages
};

struct Spread {
  std::size_t count = 0;
  Span p50{0};
  Span p99{0};
  Span max{0};
};

struct Share {
  double mean = 0;
  double max = 0;
};

// Of nodes with a vote, or of those without.
struct ScaleKind {
  Share links;
  Share copies_received;  // bodies for each event
  Share copies_sent;
  Share octets_sent;  // for each octet of the bodies
  Spread durable;     // of events that were submitted there
};

struct ScaleMining {
  std::uint64_t blocks = 0;
  std::uint64_t shares = 0;
  double rate = 0;       // hashes found in each second
  double rate_busy = 0;  // in each second with a template in hand
  std::uint64_t elections = 0;
  std::uint64_t events = 0;  // that clients were told of as durable
};

struct ScaleMemory {
  std::uint64_t height = 0;
  double resident = 0;  // octets of a node: the process divided by the nodes
  double in_use = 0;    // of that: handed out by the allocator
};

struct ScaleReport {
  Span admission{0};  // from the first order until the last member has caught up
  std::uint64_t admission_blocks = 0;
  std::uint64_t dials_refused = 0;
  ScaleKind voters;
  ScaleKind observers;
  double octets_per_node = 0;  // on the wire, for each octet of the bodies and each node
  double octets_with_bodies_per_node = 0;
  Spread completed;     // submitted until the first node has applied the block
  Spread anywhere;      // until any one node has, over all nodes
  Spread everywhere;    // until all nodes have
  Spread block_spread;  // from the first node that has applied a block to the last
  ScaleMining all;
  ScaleMining half;
  std::uint64_t unplaced = 0;  // events called durable that are in no block at the end
  Span follower_replaced{0};   // without the grace time
  Span leader_replaced{0};
  std::vector<ScaleMemory> memory;
  double core_octets = 0;   // of a node without a vote
  double store_octets = 0;  // of its MemoryStore, at the end
  std::uint64_t shares_checked = 0;
  std::uint64_t blocks = 0;
  std::uint64_t messages = 0;
  std::uint64_t elections = 0;
  Span virtual_time{0};
  std::uint64_t trace_hash = 0;
};

// Throws Violation.
ScaleReport run_scale(const ScaleOptions& options);

}  // namespace eventchain::sim
