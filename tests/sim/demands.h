#pragma once

#include <functional>
#include <vector>

#include "tests/sim/cluster.h"

// What a healed cluster must come to, and within which time. Each demand runs the cluster until it
// is met, else throws Violation.
namespace eventchain::sim {

// How long a healed cluster may need: old links fall silent, a leader is found, the block in hand
// is sealed or eased, what expects a version expires, and what is pending fills blocks, which may
// have room for a single event.
Span patience(const Cluster& cluster);

// Whom it is demanded of: asked again and again, because an order may be carried out late.
using Nodes = std::function<std::vector<std::size_t>()>;

// All of them stand at the newest block with nothing pending, and every promise is kept.
void demand_progress(Cluster& cluster, const Nodes& who, const char* when);

// Every program can do the newest level, so the cluster comes to it.
void demand_newest_level(Cluster& cluster);

// A healthy majority answers linearizable reads at each of its nodes.
void demand_reads(Cluster& cluster, const std::vector<std::size_t>& nodes);

// Whoever holds bodies takes a new event and brings it to where its client wants it: one that is to
// be durable and one that is to be final, at each of them. No refusal will do.
void demand_writes(Cluster& cluster, const Nodes& who, const char* when);

// Whoever asked anything has been answered, or the node that was asked has died.
void demand_answers(Cluster& cluster);

}  // namespace eventchain::sim
