#include "tests/sim/planting.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "chain/planted.h"

namespace eventchain::sim {

namespace {

using chain::Mistake;

constexpr std::array<std::pair<std::string_view, Mistake>, 11> kMistakes{{
    {"fsync-dropped", Mistake::kFsyncDropped},
    {"quorum-off-by-one", Mistake::kQuorumOffByOne},
    {"applied-outside-transaction", Mistake::kAppliedOutsideTransaction},
    {"stale-read-index", Mistake::kStaleReadIndex},
    {"dedup-in-memory", Mistake::kDedupInMemory},
    {"vote-not-persisted", Mistake::kVoteNotPersisted},
    {"prevote-off", Mistake::kPreVoteOff},
    {"acknowledged-before-sync", Mistake::kAcknowledgedBeforeSync},
    {"certificate-signed-before-apply", Mistake::kSignedBeforeApply},
    {"answer-before-sync", Mistake::kAnswerBeforeSync},
    {"slot-reused", Mistake::kSlotReused},
}};

}  // namespace

void plant(const std::string& name) {
  const auto* const found = std::find_if(kMistakes.begin(), kMistakes.end(),
                                         [&](const auto& one) { return one.first == name; });
  if (found == kMistakes.end()) {
    std::string known;
    for (const auto& [one, mistake] : kMistakes) known += fmt::format(" {}", one);
    throw std::invalid_argument(
        fmt::format("no mistake is called '{}'; there are:{}", name, known));
  }
#ifdef EVENTCHAIN_PLANT_MISTAKES
  chain::planted_mistake = found->second;
#else
  throw std::invalid_argument(
      fmt::format("'{}' cannot be planted in this build; configure one with "
                  "-DEVENTCHAIN_PLANT_MISTAKES=ON (cmake --preset planted)",
                  name));
#endif
}

}  // namespace eventchain::sim
