#include "tools/difficulty/rules.h"

#include <algorithm>
#include <deque>

#include "chain/difficulty.h"

namespace eventchain::tools {

namespace {

// A second of one ordinary core is the least that a block may cost.
constexpr double kFloorHashes = 1e8;

class OwnRule final : public DifficultyRule {
 public:
  explicit OwnRule(const RuleSettings& settings) {
    genesis_.interval_ms = static_cast<std::uint32_t>(settings.interval_ms);
    genesis_.share_count = settings.shares;
    genesis_.first_target = target_of(settings.first_share_hashes);
    genesis_.easiest_target = target_of(kFloorHashes / settings.shares);
    tip_ = chain::genesis_block(genesis_);
  }

  [[nodiscard]] std::string name() const override { return "EventChain"; }

  [[nodiscard]] double share_hashes(std::int64_t started, std::int64_t time) const override {
    const auto target = chain::expand(target_at(started, time));
    return chain::expected_hashes(*target).to_double();
  }

  [[nodiscard]] std::optional<std::int64_t> next_easing(std::int64_t started,
                                                        std::int64_t time) const override {
    const std::uint32_t steps = chain::easing_steps(genesis_, {started}, {time});
    if (steps == chain::kEasingStepsMax) return std::nullopt;
    const std::int64_t intervals =
        chain::kEasingAfterIntervals + chain::kEasingEveryIntervals * std::int64_t{steps};
    return started + intervals * std::int64_t{genesis_.interval_ms};
  }

  void sealed(std::int64_t started, std::int64_t time, std::int64_t at) override {
    chain::SealedHeader next;
    next.header.height = tip_.header.height.next();
    next.header.share_target = target_at(started, time);
    next.header.started = {started};
    next.header.time = {time};
    next.seal.sealed_at = {at};
    tip_ = next;
  }

 private:
  static chain::CompactTarget target_of(double hashes) {
    return chain::compact(chain::target_for(chain::U256(static_cast<std::uint64_t>(hashes))));
  }
  [[nodiscard]] chain::CompactTarget target_at(std::int64_t started, std::int64_t time) const {
    return chain::required_target(genesis_, tip_, {started}, {time});
  }

  chain::Genesis genesis_;
  chain::SealedHeader tip_;
};

// Neither of the others eases while a block is worked on.
class SpacingRule : public DifficultyRule {
 public:
  explicit SpacingRule(const RuleSettings& settings)
      : interval_(static_cast<double>(settings.interval_ms)),
        hashes_(settings.first_share_hashes) {}

  [[nodiscard]] double share_hashes(std::int64_t, std::int64_t) const override { return hashes_; }
  [[nodiscard]] std::optional<std::int64_t> next_easing(std::int64_t, std::int64_t) const override {
    return std::nullopt;
  }

 protected:
  const double interval_;
  double hashes_;
};

class EpochRule final : public SpacingRule {
 public:
  using SpacingRule::SpacingRule;
  [[nodiscard]] std::string name() const override { return "epoch-2016"; }

  void sealed(std::int64_t started, std::int64_t, std::int64_t at) override {
    if (blocks_ == 0) epoch_began_ = started;
    if (++blocks_ < kBlocks) return;
    const double wanted = interval_ * kBlocks;
    const double took = static_cast<double>(at - epoch_began_);
    hashes_ *= wanted / std::clamp(took, wanted / 4, wanted * 4);
    blocks_ = 0;
  }

 private:
  static constexpr int kBlocks = 2016;
  int blocks_ = 0;
  std::int64_t epoch_began_ = 0;
};

class LwmaRule final : public SpacingRule {
 public:
  using SpacingRule::SpacingRule;
  [[nodiscard]] std::string name() const override { return "LWMA-60"; }

  void sealed(std::int64_t started, std::int64_t, std::int64_t at) override {
    window_.push_back({hashes_, std::min(static_cast<double>(at - started), 6 * interval_)});
    if (window_.size() > kBlocks) window_.pop_front();
    double weighted = 0;
    double weights = 0;
    double hashes = 0;
    for (std::size_t i = 0; i < window_.size(); ++i) {
      const double weight = static_cast<double>(i + 1);
      weighted += weight * window_[i].solve;
      weights += weight;
      hashes += window_[i].hashes;
    }
    const double mean = hashes / static_cast<double>(window_.size());
    if (window_.size() == kBlocks) hashes_ = std::max(1.0, mean * weights * interval_ / weighted);
  }

 private:
  static constexpr std::size_t kBlocks = 60;
  struct Block {
    double hashes;
    double solve;
  };
  std::deque<Block> window_;
};

}  // namespace

std::unique_ptr<DifficultyRule> own_rule(const RuleSettings& settings) {
  return std::make_unique<OwnRule>(settings);
}
std::unique_ptr<DifficultyRule> epoch_rule(const RuleSettings& settings) {
  return std::make_unique<EpochRule>(settings);
}
std::unique_ptr<DifficultyRule> lwma_rule(const RuleSettings& settings) {
  return std::make_unique<LwmaRule>(settings);
}

}  // namespace eventchain::tools
