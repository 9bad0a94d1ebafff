#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "chain/genesis.h"
#include "chain/result.h"
#include "chain/work.h"
#include "mining/memo_digest.h"
#include "mining/search.h"

namespace eventchain::mining {

// What a host gives RandomX (mining/randomx/memory.h): "auto", "light", "fast".
enum class RandomXMode : std::uint8_t { kAuto, kLight, kFast };
std::optional<RandomXMode> parse_randomx_mode(std::string_view name);

struct WorkSettings {
  RandomXMode randomx = RandomXMode::kAuto;
  // Notices for an operator; from any thread.
  std::function<void(const std::string&)> tell = [](const std::string&) {};
};

// A chain's work function, set up: what shares are checked with, and what searches them.
struct Work {
  std::shared_ptr<const chain::ShareDigest> digest;
  // `digest` again where it takes long, so that who receives shares has them computed elsewhere
  // first; null where it does not.
  std::shared_ptr<const MemoDigest> slow;
  // Empty for `none`, where nothing is searched (paced_miner.h).
  SearchFactory search;
};

// For RandomX takes 256 MiB and half a second; its dataset is built when a search begins, if at
// all. An error where the memory is not to be had, or of a function that this program does not
// know.
chain::Result<Work> set_up_work(chain::WorkFunction function, const chain::ChainId& chain,
                                const WorkSettings& settings);
chain::Result<Work> set_up_work(const chain::Genesis& genesis, const WorkSettings& settings);

}  // namespace eventchain::mining
