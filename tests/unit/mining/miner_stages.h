#pragma once

#include <doctest/doctest.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <utility>

#include "collector.h"
#include "mining/governed_miner.h"
#include "mining/process/miner_process.h"
#include "mining/process/remote_miner.h"
#include "mining/thread_miner.h"
#include "tests/unit/temporary_directory.h"

// The miners there are, each on a stage of its own with the same face, so that one test speaks of
// all of them: miner() is the port, lending() the operators' side.
namespace eventchain::mining {

using OnShare = std::function<void(const ShareFound&)>;

// Whatever others do: the files do not move, and everything may be lent.
inline GovernedMinerOptions on_idle_host(const TemporaryDirectory& host) {
  const auto write = [&host](const std::string& name, const std::string& text) {
    std::filesystem::create_directories((host.path() / name).parent_path());
    std::ofstream(host.path() / name) << text;
  };
  write("proc/self/cgroup", "0::/m\n");
  write("sys/fs/cgroup/m/cpu.idle", "1\n");
  GovernedMinerOptions options;
  options.probe.root = host.path();
  options.probe.kill_switch = host.path() / "kill";
  options.probe.processors = {0, 1};
  options.governor.cap_percent = 100;
  options.governor.stop_above = 100;
  options.governor.steal_above = 100;
  return options;
}

class ThreadStage {
 public:
  static constexpr bool kDeliversAll = true;

  explicit ThreadStage(OnShare on_share) : miner_({.threads = 2}, std::move(on_share)) {}
  Miner& miner() { return miner_; }

 private:
  ThreadMiner miner_;
};

// Waits on what a miner reports.
class Reports {
 public:
  void change() {
    {
      const std::lock_guard lock(mutex_);
      ++changes_;
    }
    changed_.notify_all();
  }
  template <class Predicate>
  LendingReport wait(const Lending& lending, Predicate predicate) {
    for (std::uint64_t seen = 0;;) {
      LendingReport report = lending.report();
      if (predicate(report)) return report;
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return changes_ != seen; });
      seen = changes_;
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t changes_ = 0;
};

class GovernedStage {
 public:
  static constexpr bool kDeliversAll = true;

  explicit GovernedStage(OnShare on_share) {
    GovernedMinerOptions options = on_idle_host(host_);
    options.changed = [this](LendingReason, const std::string&) { reports_.change(); };
    miner_ = std::make_unique<GovernedMiner>(std::move(options), std::move(on_share));
  }
  Miner& miner() { return *miner_; }
  Lending& lending() { return *miner_; }
  // As the threads count them.
  [[nodiscard]] std::uint64_t hashed() const { return miner_->hashes(); }
  [[nodiscard]] std::filesystem::path kill_switch() const { return host_.path() / "kill"; }
  template <class Predicate>
  LendingReport wait_report(Predicate predicate) {
    return reports_.wait(*miner_, predicate);
  }

 private:
  TemporaryDirectory host_;
  Reports reports_;
  std::unique_ptr<GovernedMiner> miner_;
};

// A process that is none: the same threads on the other side of the same socket.
class Process {
 public:
  Process(std::filesystem::path socket, const TemporaryDirectory& host,
          std::uint16_t feature_level = 1) {
    process::MinerProcessOptions options;
    options.socket = std::move(socket);
    options.feature_level = feature_level;
    options.report_every = std::chrono::milliseconds(20);
    options.again_after = std::chrono::milliseconds(1);
    options.again_after_max = std::chrono::milliseconds(8);
    options.make_miner =
        [this, &host](
            const process::NodeHello& hello, OnShare on_share,
            std::function<void()> changed) -> chain::Result<std::unique_ptr<LendingMiner>> {
      if (hello.work_function != 1)
        return chain::fail(chain::ErrorCode::kInvalid, "this program mines sha256 only");
      GovernedMinerOptions governed = on_idle_host(host);
      governed.start.counter = next_start();
      governed.changed = [changed = std::move(changed)](LendingReason, const std::string&) {
        changed();
      };
      auto made = std::make_unique<GovernedMiner>(std::move(governed), std::move(on_share));
      miner_ = made.get();
      ++made_;
      return made;
    };
    process_ = std::make_unique<process::MinerProcess>(std::move(options));
  }
  // Once it was greeted.
  [[nodiscard]] std::uint64_t hashed() const { return miner_.load()->hashes(); }
  // Miners, one after the other.
  [[nodiscard]] int made() const { return made_; }

 private:
  // As the program draws it: no two processes begin at one place.
  static std::uint64_t next_start() {
    static std::atomic<std::uint64_t> starts{0};
    return ++starts << 32;
  }

  std::atomic<GovernedMiner*> miner_{nullptr};
  std::atomic<int> made_{0};
  std::unique_ptr<process::MinerProcess> process_;
};

// Whether hashing ends: a quantum may wait for a processor in the middle of it.
template <class Stage>
bool comes_to_rest(const Stage& stage) {
  Collector witness;
  ThreadMiner other({}, witness.callback());
  other.mine(make_order(99));
  int rounds_without_hashes = 0;
  for (int round = 0; round < 10'000 && rounds_without_hashes < 5; ++round) {
    const std::uint64_t before = stage.hashed();
    witness.wait_for(witness.shares().size() + 20);
    rounds_without_hashes = stage.hashed() == before ? rounds_without_hashes + 1 : 0;
  }
  return rounds_without_hashes == 5;
}

inline process::NodeHello some_hello() {
  process::NodeHello hello;
  hello.chain.octets.fill(7);
  hello.work_function = 1;
  hello.feature_level = 1;
  return hello;
}

class RemoteStage {
 public:
  // A node that falls behind with listening loses shares, and so does a process that finds too
  // many.
  static constexpr bool kDeliversAll = false;

  explicit RemoteStage(OnShare on_share) {
    process::RemoteMinerOptions options;
    options.socket = socket();
    options.hello = some_hello();
    options.words_per_second = 1'000'000;
    options.changed = [this] { reports_.change(); };
    auto started = process::RemoteMiner::start(std::move(options), std::move(on_share));
    REQUIRE_MESSAGE(started.has_value(), started.error().message);
    miner_ = std::move(*started);
    process_ = std::make_unique<Process>(socket(), host_);
  }
  Miner& miner() { return *miner_; }
  Lending& lending() { return *miner_; }
  [[nodiscard]] std::uint64_t hashed() const { return process_->hashed(); }
  [[nodiscard]] std::filesystem::path kill_switch() const { return host_.path() / "kill"; }
  template <class Predicate>
  LendingReport wait_report(Predicate predicate) {
    return reports_.wait(*miner_, predicate);
  }

 private:
  [[nodiscard]] std::filesystem::path socket() const { return host_.path() / "s"; }

  TemporaryDirectory host_;
  Reports reports_;
  std::unique_ptr<process::RemoteMiner> miner_;
  std::unique_ptr<Process> process_;
};

}  // namespace eventchain::mining
