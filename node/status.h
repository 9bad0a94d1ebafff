#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chain/hash_rates.h"
#include "chain/rules.h"
#include "consensus/types.h"

namespace eventchain::node {

// What a node knows of itself and its cluster at one moment; a value for the API, the metrics and
// the simulator's checkers.
struct PeerStatus {
  chain::NodeId node;
  std::string name;
  bool linked = false;
  std::optional<chain::Height> tip = std::nullopt;            // as last said
  std::optional<std::uint16_t> program_level = std::nullopt;  // of a linked one: what it can do
  std::uint64_t faults = 0;                                   // what no correct peer does
  std::string last_fault = {};
  bool shunned = false;
};

// What a node that drains still waits for.
struct DrainStatus {
  std::uint64_t events = 0;    // pending since before it began
  std::uint64_t requests = 0;  // of clients, unanswered
  bool is_done = false;        // nothing, and it does not lead: it may be stopped
};

// What became of shares that came to this node. Each is counted once, a share for a template that
// is not known yet when that is taken up.
struct ShareCounts {
  std::uint64_t accepted = 0;
  std::uint64_t duplicate = 0;  // held already
  std::uint64_t surplus = 0;    // the template had all it needs
  std::uint64_t stale = 0;      // for a template that was in hand before
  std::uint64_t refused = 0;
  [[nodiscard]] std::uint64_t sum() const {
    return accepted + duplicate + surplus + stale + refused;
  }
  bool operator==(const ShareCounts&) const = default;
};

// Mining rates in a status are over so many of the newest blocks.
inline constexpr std::size_t kRecentBlocks = 100;

struct NodeStatus {
  chain::NodeId node;
  std::string name;
  chain::ChainId chain;
  std::string chain_name;
  bool is_light =
      false;  // a light member, outside Raft: what is said of Raft and the pool is empty
  consensus::Role role = consensus::Role::kFollower;
  consensus::Term term;
  std::optional<chain::NodeId> leader;
  bool ready = false;  // a leader is known, and this node is linked to it or is it
  consensus::LogIndex commit_index;
  consensus::LogIndex applied_index;
  chain::Height height;
  chain::BlockId tip;
  std::uint64_t log_size = 0;
  chain::Height certified;  // the highest final block
  chain::U256 total_work;
  std::uint16_t feature_level = 1;  // of the cluster
  std::uint16_t program_level = 1;  // that this node's program can do
  // The leader's wall clock less this node's; nothing while that cannot be told.
  std::optional<std::chrono::milliseconds> leader_clock_ahead;
  std::optional<chain::Height> working_on;       // height of the template being mined
  std::optional<chain::TemplateHeader> in_work;  // that template's
  std::uint32_t shares_found = 0;                // for it
  std::uint32_t shares_needed = 0;
  chain::ShareSum recent_shares;  // of the blocks applied in this run
  std::uint64_t pending_events = 0;
  std::uint64_t pending_bytes = 0;
  std::uint64_t pool_events_max = 0;
  // How long the event that came first of these has waited here, in this run; nothing if none does.
  std::optional<std::chrono::milliseconds> oldest_pending;
  // Since the newest block was applied here, or since the start.
  std::chrono::milliseconds tip_age{0};
  std::chrono::milliseconds block_interval{0};  // that genesis aims at
  bool intake_open = true;
  std::optional<DrainStatus> drain;  // while it drains
  std::vector<PeerStatus> peers;

  struct Counters {
    std::uint64_t events_received = 0, events_durable = 0, events_completed = 0,
                  events_rejected = 0, key_conflicts = 0, blocks_committed = 0, blocks_stale = 0,
                  templates_made = 0, templates_adopted = 0, elections = 0, peer_faults = 0,
                  easings = 0, requests_dropped = 0;
    ShareCounts own_shares, peer_shares;  // of the own miner, of others
    std::uint64_t shares_lost = 0;        // accepted for templates that another one replaced
    [[nodiscard]] std::uint64_t shares_accepted() const {
      return own_shares.accepted + peer_shares.accepted;
    }
    [[nodiscard]] std::uint64_t shares_refused() const {
      return own_shares.refused + peer_shares.refused;
    }
    bool operator==(const Counters&) const = default;
  };
  Counters counters;
};

}  // namespace eventchain::node
