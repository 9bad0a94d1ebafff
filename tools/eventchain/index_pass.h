#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "store/sqlite/chain_scan.h"
#include "tools/eventchain/body_pass.h"
#include "tools/eventchain/verify.h"

namespace eventchain::tools {

// Compares an index with the bodies that it leads to: each entry must name what it says, and each
// body must be named, once. An index that leads astray answers a question wrongly where nothing is
// hashed, say that there is no such event.
class IndexPass {
 public:
  // All outlive the pass. `suspects`: positions whose bodies are damaged, and not judged again.
  IndexPass(const BodyPass& bodies, const std::set<std::uint64_t>& suspects, Found& found);

  // Each reads one index to its end.
  void read_keys(store::ChainScan& scan);
  void read_streams(store::ChainScan& scan);
  [[nodiscard]] std::uint64_t entries() const { return entries_; }

 private:
  struct KeyEntry {
    std::int64_t prefix;
    std::uint64_t arrival;
  };
  void judge_key(const KeyEntry& entry);
  // The body under this arrival if it may be judged and was not named before.
  const HeldBody* take(const char* index, std::uint64_t arrival);
  void complain(const HeldBody& held, const std::string& text) { complain(findings_, held, text); }
  void complain(Findings& findings, const HeldBody& held, const std::string& text) const;
  void finish(const char* index, bool with_rejected);

  const BodyPass& bodies_;
  const std::set<std::uint64_t>& suspects_;
  Findings& findings_;
  Findings& unless_grown_;
  std::vector<bool> is_named_;  // by place
  std::uint64_t entries_ = 0;
};

}  // namespace eventchain::tools
