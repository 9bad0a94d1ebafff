#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "node/effects.h"
#include "tests/sim/checkers/chain_checker.h"

namespace eventchain::sim {

// What a node may refuse new events for, as of the moment it is asked: inputs are taken in order.
struct Intake {
  bool is_light = false;
  bool disk_is_full = false;
  bool drains = false;
};

// What clients were told is true and stays true: an event called durable is completed with that
// content or rejected by a block (I2), a completed one has the same place in every answer, what is
// submitted once others have seen a log comes behind it (I4), and no refusal is made up: a node
// refuses what it was told to refuse, and nothing else.
class PromiseChecker {
 public:
  // `has_small_pools`: so small that they may ever be full.
  PromiseChecker(const ChainChecker& chain, const Registry& registry, bool has_small_pools)
      : chain_(chain), registry_(registry), has_small_pools_(has_small_pools) {}

  // A client sends it, when somebody outside has seen a log of this size. The first time counts.
  void asked(ContentId content, std::uint64_t log_size) { asked_.try_emplace(content, log_size); }
  // The answer to a client who sent `asked`, when the node's intake was like this.
  void answered(std::size_t node, const std::vector<chain::HeldEvent>& asked, node::WaitFor wait,
                const Intake& intake, const node::Answer& answer);
  void extended(const std::vector<chain::Block>& blocks);

  // Whether a block has decided about it: its place, or a rejection.
  [[nodiscard]] bool is_decided(const chain::EventKey& key, ContentId content) const;
  // Events that were called durable and have neither a place nor a rejection yet.
  [[nodiscard]] std::size_t open() const { return open_.size(); }
  [[nodiscard]] std::uint64_t promises() const { return promises_; }
  // Events a client was told to be rejected and that have a place after all, in another variant.
  [[nodiscard]] std::uint64_t revived() const { return revived_; }

 private:
  using State = node::EventOutcome::State;
  using Promise = std::pair<chain::EventKey, ContentId>;

  void check_outcome(std::size_t node, const Submitted& event, const node::EventOutcome& outcome);
  void check_refusal(std::size_t node, const Intake& intake, State state) const;
  void promise(const Promise& promised);
  [[nodiscard]] bool is_rejected(const Promise& promised) const;

  const ChainChecker& chain_;
  const Registry& registry_;
  const bool has_small_pools_;
  std::map<ContentId, std::uint64_t> asked_;
  std::set<Promise> open_;
  std::set<Promise> told_rejected_;
  std::uint64_t promises_ = 0;
  std::uint64_t revived_ = 0;
};

}  // namespace eventchain::sim
