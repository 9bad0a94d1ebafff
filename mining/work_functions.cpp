#include "mining/work_functions.h"

#include <algorithm>
#include <string>
#include <utility>

#include "mining/host_probe.h"
#include "mining/kernel_trial.h"
#include "mining/randomx/memory.h"
#include "mining/randomx/randomx_digest.h"
#include "mining/randomx/randomx_search.h"
#include "mining/tile_search.h"

namespace eventchain::mining {
namespace {

// More machines than this would check shares faster than peers can send them.
constexpr std::size_t kSideBySideMax = 16;

std::shared_ptr<const chain::ShareDigest> plain(chain::WorkFunction function) {
  return {std::shared_ptr<void>(), chain::plain_digest(function)};
}

randomx::Mode mode_of(RandomXMode mode) {
  switch (mode) {
    case RandomXMode::kAuto:
      return randomx::Mode::kAuto;
    case RandomXMode::kLight:
      return randomx::Mode::kLight;
    case RandomXMode::kFast:
      return randomx::Mode::kFast;
  }
  return randomx::Mode::kAuto;
}

chain::Result<Work> set_up_randomx(const chain::ChainId& chain, const WorkSettings& settings) {
  randomx::MemoryOptions options;
  options.mode = mode_of(settings.randomx);
  options.tell = settings.tell;
  auto memory = randomx::Memory::make(chain.view(), std::move(options));
  if (!memory) return tl::unexpected<chain::Error>(memory.error());
  struct Remembering {
    Remembering(std::shared_ptr<randomx::Memory> memory, unsigned side_by_side)
        : computing(std::move(memory), side_by_side), memo(computing) {}
    randomx::RandomXDigest computing;
    MemoDigest memo;
  };
  const auto side_by_side =
      static_cast<unsigned>(std::min(own_processors().size(), kSideBySideMax));
  const auto both = std::make_shared<Remembering>(*memory, side_by_side);
  Work work;
  work.slow = std::shared_ptr<const MemoDigest>(both, &both->memo);
  work.digest = work.slow;
  work.search = [memory = *memory](std::uint8_t thread, SearchPosition start) {
    return std::make_unique<randomx::RandomXSearch>(memory, thread, start);
  };
  return work;
}

}  // namespace

std::optional<RandomXMode> parse_randomx_mode(std::string_view name) {
  if (name == "auto") return RandomXMode::kAuto;
  if (name == "light") return RandomXMode::kLight;
  if (name == "fast") return RandomXMode::kFast;
  return std::nullopt;
}

chain::Result<Work> set_up_work(chain::WorkFunction function, const chain::ChainId& chain,
                                const WorkSettings& settings) {
  switch (function) {
    case chain::WorkFunction::kSha256:
      return Work{plain(function), nullptr, tile_searches(fastest_kernel())};
    case chain::WorkFunction::kRandomXV1:
      return set_up_randomx(chain, settings);
    case chain::WorkFunction::kNone:
      return Work{plain(function), nullptr, {}};
  }
  return chain::fail(chain::ErrorCode::kInvalid,
                     "the chain's work function " +
                         std::to_string(static_cast<unsigned>(function)) +
                         " is unknown to this program; install the version that the node has");
}

chain::Result<Work> set_up_work(const chain::Genesis& genesis, const WorkSettings& settings) {
  return set_up_work(genesis.work_function, chain::chain_id(genesis), settings);
}

}  // namespace eventchain::mining
