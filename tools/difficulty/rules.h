#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace eventchain::tools {

// How hard the next block is. Times in milliseconds. One block after the other: begun when the one
// before was sealed, sealed by `shares` shares of share_hashes() expected hashes each.
class DifficultyRule {
 public:
  virtual ~DifficultyRule() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  // Of a template made at `time` for the block begun at `started`.
  [[nodiscard]] virtual double share_hashes(std::int64_t started, std::int64_t time) const = 0;
  // When a template made later would be easier; the shares found by then are lost to it.
  [[nodiscard]] virtual std::optional<std::int64_t> next_easing(std::int64_t started,
                                                                std::int64_t time) const = 0;
  // The block begun at `started` was sealed at `at` with a template made at `time`.
  virtual void sealed(std::int64_t started, std::int64_t time, std::int64_t at) = 0;
};

struct RuleSettings {
  std::int64_t interval_ms = 10'000;
  std::uint16_t shares = 1;
  double first_share_hashes = 1;
};

// The chain's own, by the chain's own code (chain/difficulty.h).
std::unique_ptr<DifficultyRule> own_rule(const RuleSettings& settings);
// Every 2016 blocks by the time that they took, by a factor of 4 at most: Bitcoin's.
std::unique_ptr<DifficultyRule> epoch_rule(const RuleSettings& settings);
// The linearly weighted mean of the last 60 solve times, each 6 intervals at most (zawy12, LWMA-1).
std::unique_ptr<DifficultyRule> lwma_rule(const RuleSettings& settings);

}  // namespace eventchain::tools
