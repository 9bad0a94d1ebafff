#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "store/sqlite/chain_scan.h"
#include "tools/eventchain/verify.h"

namespace eventchain::tools {

// What the database holds for one position, recomputed from salt and body alone.
struct HeldBody {
  enum class State : std::uint8_t {
    kMissing,
    kGood,     // a well-formed event; whether it is the committed one, the block tells
    kDamaged,  // no valid event any more, but its attributes can still be read
    kUnreadable,
  };
  State state = State::kMissing;
  chain::EventFacts facts;  // commitment always; the rest unless unreadable
  std::uint64_t arrival = 0;
  std::uint64_t height = 0;  // as the database claims
  std::int64_t version = 0;  // as the database claims
};

// The first pass: reads and hashes every body, in parallel ranges of arrival numbers.
class BodyPass {
 public:
  // Runs to the end; what cannot be read becomes a finding.
  static chain::Result<BodyPass> run(const VerifyOptions& options, Findings& findings);

  [[nodiscard]] const HeldBody* at(std::uint64_t position) const {
    return position < placed_.size() ? &placed_[position] : nullptr;
  }
  [[nodiscard]] const HeldBody* rejected(const chain::Commitment& commitment) const;
  [[nodiscard]] std::uint64_t positions() const { return placed_.size(); }
  [[nodiscard]] std::uint64_t rejections() const { return rejected_.size(); }

 private:
  struct Worker;
  std::vector<HeldBody> placed_;  // by position
  std::map<chain::Commitment, HeldBody> rejected_;
};

// Source and id as far as a stored body still tells them, for people.
std::string describe_body(const VerifyOptions& options, const HeldBody& held);

}  // namespace eventchain::tools
