#include <doctest/doctest.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <vector>

#include "mining/governed_miner.h"
#include "reference.h"
#include "tests/unit/temporary_directory.h"

using namespace eventchain;
using namespace eventchain::mining;

namespace {

// A miner on a host of files, and what it tells.
class Stage {
 public:
  Stage() {
    options_.probe.root = host_.path();
    options_.probe.kill_switch = host_.path() / "kill";
    options_.probe.processors = {0, 1};
    options_.changed = [this](LendingReason reason, const std::string&) {
      const std::lock_guard lock(mutex_);
      reasons_.push_back(reason);
      told_.notify_all();
    };
  }

  // Whatever others do: the files do not move.
  void heed_nobody() {
    options_.governor.stop_above = 100;
    options_.governor.steal_above = 100;
  }
  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((host_.path() / name).parent_path());
    std::ofstream(host_.path() / name) << text;
  }
  void remove(const std::string& name) { std::filesystem::remove(host_.path() / name); }

  GovernedMiner& start() {
    miner_ = std::make_unique<GovernedMiner>(options_, [this](const ShareFound&) {
      const std::lock_guard lock(mutex_);
      ++shares_;
      told_.notify_all();
    });
    return *miner_;
  }

  void wait_reason(LendingReason reason) {
    std::unique_lock lock(mutex_);
    told_.wait(lock, [&] { return !reasons_.empty() && reasons_.back() == reason; });
  }
  void wait_shares(int more) {
    std::unique_lock lock(mutex_);
    told_.wait(lock, [this, until = shares_ + more] { return shares_ >= until; });
  }

 private:
  TemporaryDirectory host_;
  GovernedMinerOptions options_;
  std::mutex mutex_;
  std::condition_variable told_;
  std::vector<LendingReason> reasons_;
  int shares_ = 0;
  std::unique_ptr<GovernedMiner> miner_;
};

WorkOrder make_order(std::uint64_t seed) {
  chain::Rng rng(seed);
  return reference::random_order(rng, 10);
}

// Whether hashing ends: a quantum may wait for a processor in the middle of it.
bool comes_to_rest(const GovernedMiner& miner) {
  Stage stage;
  stage.heed_nobody();
  GovernedMiner& witness = stage.start();
  witness.mine(make_order(99));
  int rounds_without_hashes = 0;
  for (int round = 0; round < 1'000 && rounds_without_hashes < 5; ++round) {
    const std::uint64_t before = miner.hashes();
    stage.wait_shares(20);
    rounds_without_hashes = miner.hashes() == before ? rounds_without_hashes + 1 : 0;
  }
  return rounds_without_hashes == 5;
}

}  // namespace

TEST_CASE("a governed miner is paused, resumed and stopped by its kill switch") {
  Stage stage;
  stage.heed_nobody();
  GovernedMiner& miner = stage.start();
  CHECK(miner.report().state == LendingReport::State::kNoWork);
  miner.mine(make_order(1));
  stage.wait_shares(3);
  CHECK(miner.report().state == LendingReport::State::kLends);
  CHECK(miner.report().hashes > 0);

  miner.pause(true);
  stage.wait_reason(LendingReason::kPaused);
  CHECK(miner.report().state == LendingReport::State::kStopped);
  CHECK(miner.report().wish.pauses);
  CHECK(comes_to_rest(miner));
  miner.mine(make_order(2));
  CHECK(comes_to_rest(miner));
  miner.pause(false);
  stage.wait_shares(3);

  stage.write("kill", "");
  stage.wait_reason(LendingReason::kKillSwitch);
  CHECK(comes_to_rest(miner));
  stage.remove("kill");
  stage.wait_shares(3);
}

TEST_CASE("a limit is obeyed and told, and a hundred percent takes it back") {
  Stage stage;
  stage.heed_nobody();
  stage.write("proc/self/cgroup", "0::/m\n");
  stage.write("sys/fs/cgroup/m/cpu.idle", "1\n");
  GovernedMiner& miner = stage.start();
  miner.mine(make_order(3));
  stage.wait_reason(LendingReason::kCap);
  miner.limit(7);
  stage.wait_reason(LendingReason::kOperatorLimit);
  CHECK(miner.report().may_lend == doctest::Approx(0.07));
  CHECK(miner.report().wish.limit_percent == 7);
  miner.limit(100);
  stage.wait_reason(LendingReason::kCap);
  CHECK(miner.report().may_lend == doctest::Approx(0.5));
  CHECK_FALSE(miner.report().wish.limit_percent.has_value());
}

TEST_CASE("without idle time of its own a miner lends less") {
  Stage stage;
  stage.heed_nobody();
  GovernedMiner& miner = stage.start();
  CHECK_FALSE(miner.report().host.is_isolated);
  miner.mine(make_order(4));
  stage.wait_reason(LendingReason::kNotIsolated);
  stage.wait_shares(1);
  CHECK(miner.report().may_lend == doctest::Approx(0.25));
}

TEST_CASE("on a host that is wholly used nothing is hashed") {
  Stage stage;
  // Idle time that stands still.
  stage.write("proc/stat", "cpu 1 1 1 1\ncpu0 1 1 1 1 1 1 1 1\ncpu1 1 1 1 1 1 1 1 1\n");
  GovernedMiner& miner = stage.start();
  miner.mine(make_order(5));
  stage.wait_reason(LendingReason::kOthersBusy);
  CHECK(miner.report().others > 0.9);
  CHECK(miner.hashes() == 0);
}

TEST_CASE("on a host that cannot be measured nothing is hashed") {
  Stage stage;
  GovernedMiner& miner = stage.start();
  miner.mine(make_order(6));
  stage.wait_reason(LendingReason::kBlind);
  CHECK(miner.hashes() == 0);
  CHECK(miner.report().why.find("/proc/stat") != std::string::npos);
}

TEST_CASE("orders come and go while it samples, and it ends at any time") {
  for (std::uint64_t turn = 0; turn < 20; ++turn) {
    Stage stage;
    stage.heed_nobody();
    GovernedMiner& miner = stage.start();
    for (std::uint64_t seed = 0; seed < turn; ++seed) {
      miner.mine(make_order(seed));
      if (seed % 3 == 1) stage.wait_shares(1);
      if (seed % 2 == 1) miner.stop();
    }
    const bool works = turn % 2 == 0;
    if (works) {
      miner.mine(make_order(turn));
    } else {
      miner.stop();
    }
    CHECK((miner.report().state == LendingReport::State::kNoWork) == !works);
  }
}
