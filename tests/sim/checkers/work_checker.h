#pragma once

#include <map>
#include <set>
#include <vector>

#include "chain/block.h"
#include "mining/work.h"
#include "tests/sim/checkers/member_checker.h"
#include "tests/sim/roster.h"

namespace eventchain::sim {

// Nobody searches where another does, and every share of a block was found by the member whose slot
// its nonce begins with (slots). A slot is all there is to compare, because every nonce that a
// miner tries begins with it.
class WorkChecker {
 public:
  WorkChecker(const Roster& roster, const MemberChecker& membership)
      : roster_(roster), membership_(membership) {}

  void mines(std::size_t node, const mining::WorkOrder& order);
  void found(std::size_t node, const mining::WorkOrder& order, const mining::ShareFound& share);
  // A liar says it found this, in whatever slot. If it is good, it is work.
  void pushed(const chain::TemplateHash& hash, const chain::Nonce& nonce) {
    pushed_.emplace(hash, nonce);
  }
  void extended(const std::vector<chain::Block>& blocks);

  // Shares of blocks that were compared with who found them.
  [[nodiscard]] std::uint64_t shares() const { return shares_; }

 private:
  static constexpr std::uint16_t kNobody = 0xffff;

  struct Searched {
    chain::Height height;
    std::vector<std::uint16_t> nodes;                      // by slot
    std::set<std::pair<chain::Nonce, std::size_t>> found;  // and who found it
  };

  const Roster& roster_;
  const MemberChecker& membership_;
  std::map<chain::TemplateHash, Searched> templates_;
  std::set<std::pair<chain::TemplateHash, chain::Nonce>> pushed_;
  std::uint64_t shares_ = 0;
};

}  // namespace eventchain::sim
