#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chain/members.h"
#include "mining/lending.h"
#include "node/status.h"

namespace eventchain::node {

// What the shell knows of the host that its node runs on, at one moment; values for the API, the
// metrics and the warnings.

struct DiskState {
  std::string directory;  // the data directory
  std::uint64_t free_bytes = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t reserve_bytes = 0;   // below it intake stops
  std::uint64_t database_bytes = 0;  // of the node's files in it
};

// A certificate as it was when the node took it into use.
struct CertificateState {
  std::string use;  // "peers" or "api"
  std::string uri;  // whom it names; empty if that is not one URI
  std::string issuer;
  chain::UnixMillis not_before;
  chain::UnixMillis not_after;
};

struct HostState {
  std::string version;  // of the program
  chain::UnixMillis started;
  std::optional<DiskState> disk;  // nothing if it cannot be told
  std::vector<CertificateState> certificates;
  std::uint64_t evidence_files = 0;
  std::string evidence_directory;
  std::chrono::milliseconds running_for{0};
  // Of peers whose link has ended since the start.
  std::map<chain::NodeId, std::chrono::milliseconds> unlinked_for;
};

// All that a node can say of itself.
struct NodeReport {
  NodeStatus status;
  HostState host;
  std::optional<mining::LendingReport> lending;  // nullopt: this node lends nothing
  chain::MembersRef members;                     // in force; null if they cannot be read
  chain::UnixMillis now;

  [[nodiscard]] const chain::Member* find(const chain::NodeId& node) const;
  // For how long a peer has had no link; nothing if it has one.
  [[nodiscard]] std::optional<std::chrono::milliseconds> unlinked_for(const PeerStatus& peer) const;
};

// Blocks that linked peers have said to be ahead of this node.
std::uint64_t blocks_behind(const NodeStatus& status);

// An event waits here, and no block has come, for so long that one should have.
bool is_stalled(const NodeStatus& status);

}  // namespace eventchain::node
