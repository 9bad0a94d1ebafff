#pragma once

#include <map>
#include <optional>
#include <vector>

#include "store/peer_memory.h"
#include "store/undo_log.h"

namespace eventchain::store {

// What MemoryStore remembers of peers: see there for lifecycle and threading.
class MemoryPeers : public PeerMemory {
 public:
  explicit MemoryPeers(UndoLog& undo) : undo_(undo) {}

  std::vector<PeerSeen> load() override {
    std::vector<PeerSeen> all;
    for (const auto& [node, seen] : seen_) all.push_back(seen);
    return all;
  }
  void save(const PeerSeen& seen) override {
    const auto before = seen_.find(seen.node);
    if (before == seen_.end()) {
      undo_.add([this, node = seen.node] { seen_.erase(node); });
    } else {
      undo_.add([this, known = before->second] { seen_[known.node] = known; });
    }
    seen_[seen.node] = seen;
  }

 private:
  UndoLog& undo_;
  std::map<chain::NodeId, PeerSeen> seen_;
};

}  // namespace eventchain::store
