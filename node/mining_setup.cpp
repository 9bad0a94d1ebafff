#include "node/mining_setup.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "mining/governed_miner.h"
#include "mining/process/remote_miner.h"
#include "mining/work_functions.h"
#include "node/runtime.h"

namespace eventchain::node {
namespace {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

// Threads of this process, for a node and for a miner process alike. `changed` when there is
// something new to report.
std::unique_ptr<mining::LendingMiner> make_threads(const Config& config,
                                                   mining::SearchFactory search, Log& log,
                                                   OnShare on_share,
                                                   std::function<void()> changed) {
  mining::GovernedMinerOptions options;
  options.governor = config.mining;
  options.governor.threads_max = config.mining_threads;
  options.probe.kill_switch = config.mining_kill_switch;
  options.search = std::move(search);
  // A process that restarts must not search again what was searched before.
  const chain::Salt drawn = draw_salt();
  for (std::size_t i = 0; i < 5; ++i)
    options.start.counter = (options.start.counter << 8) | drawn.octets[i];
  // What others' load decides comes and goes by the second.
  options.changed = [&log, changed = std::move(changed), was_notable = true](
                        mining::LendingReason reason, const std::string& why) mutable {
    const bool is_notable = reason <= mining::LendingReason::kSteal;
    log.write(is_notable || was_notable ? Notice::Level::kInfo : Notice::Level::kDebug,
              "mining: " + why);
    was_notable = is_notable;
    changed();
  };
  auto miner = std::make_unique<mining::GovernedMiner>(std::move(options), std::move(on_share));
  if (!miner->report().host.is_isolated)
    log.write(Notice::Level::kWarning,
              "mining: the cgroup of this process does not get idle processor time alone, and nice "
              "values do not reach beyond it, so mining would compete with other services; it "
              "limits itself. Set CPUWeight=idle for a unit that does nothing but mine");
  return miner;
}

std::function<void(const std::string&)> log_of(Log& log) {
  return [&log](const std::string& text) { log.write(Notice::Level::kInfo, "mining: " + text); };
}

}  // namespace

Result<std::unique_ptr<mining::LendingMiner>> make_miner(const Config& config,
                                                         const chain::Genesis& genesis,
                                                         mining::SearchFactory search,
                                                         std::uint16_t feature_level, Log& log,
                                                         OnShare on_share) {
  if (config.mining_run == MiningRun::kThreads)
    return make_threads(config, std::move(search), log, std::move(on_share), [] {});
  mining::process::RemoteMinerOptions options;
  options.socket = miner_socket(config);
  options.group = config.mining_socket_group;
  options.hello.chain = chain::chain_id(genesis);
  options.hello.work_function = static_cast<std::uint8_t>(genesis.work_function);
  options.hello.feature_level = feature_level;
  options.cap_percent = config.mining.cap_percent;
  options.log = log_of(log);
  auto miner = mining::process::RemoteMiner::start(std::move(options), std::move(on_share));
  if (!miner) return tl::unexpected(miner.error());
  return std::move(*miner);
}

std::unique_ptr<mining::process::MinerProcess> start_miner_process(const Config& config,
                                                                   std::uint16_t feature_level,
                                                                   Log& log) {
  mining::process::MinerProcessOptions options;
  options.socket = miner_socket(config);
  options.feature_level = feature_level;
  options.make_miner =
      [&config, &log](
          const mining::process::NodeHello& hello, OnShare on_share,
          std::function<void()> changed) -> Result<std::unique_ptr<mining::LendingMiner>> {
    auto work = mining::set_up_work(static_cast<chain::WorkFunction>(hello.work_function),
                                    hello.chain, {config.randomx, log_of(log)});
    if (!work) return tl::unexpected(work.error());
    if (!work->search)
      return fail(ErrorCode::kInvalid,
                  "the chain has no proof of work: there is nothing for a miner to do");
    return make_threads(config, std::move(work->search), log, std::move(on_share),
                        std::move(changed));
  };
  options.log = log_of(log);
  return std::make_unique<mining::process::MinerProcess>(std::move(options));
}

}  // namespace eventchain::node
