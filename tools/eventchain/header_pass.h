#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "chain/rules.h"
#include "store/sqlite/light_scan.h"
#include "tools/eventchain/verified_chain.h"
#include "tools/eventchain/verify.h"

namespace eventchain::tools {

// Recomputes what a light member keeps: every header by the rules that need no events, the member
// sets that the blocks make, and the certificate of the tip. After a header that cannot be followed
// those above it are checked by themselves only.
class HeaderPass {
 public:
  HeaderPass(const VerifyOptions& options, Findings& findings);

  void visit(const store::LightScan::BlockRow& row);
  void visit(const store::LightScan::MemberRow& row);
  // After the last row of both: what should have come. Fills the report's totals.
  void finish(store::LightScan& scan, VerifyReport& report);

  [[nodiscard]] const VerifiedChain& chain() const { return chain_; }

 private:
  void judge(const chain::LightBlock& block);
  std::size_t check_certificate(const chain::Certificate& certificate);  // how many are sound
  void complain(std::uint64_t height, std::string text);
  void lose_track(std::uint64_t height, const std::string& why);

  const VerifyOptions& options_;
  const chain::ShareDigest& digest_;
  Findings& findings_;
  chain::HeaderState state_;
  chain::MembersRef before_tip_;  // that the tip's header names
  std::vector<chain::HistoryNode> history_before_;
  // Each set by the height of the block that made it, those not met in the database yet.
  std::map<std::uint64_t, chain::Bytes> sets_;
  VerifiedChain chain_;
  std::set<chain::BlockId> known_blocks_;  // those not met yet
  std::vector<std::uint64_t> named_;       // heights of those that were met
  std::uint64_t next_height_ = 0;
  std::uint64_t blocks_ = 0;
  bool lost_track_ = false;
  bool is_certified_ = false;  // the tip
};

}  // namespace eventchain::tools
