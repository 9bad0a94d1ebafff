#include "mining/work_functions.h"

#include <doctest/doctest.h>

#include <fstream>

#include "mining/host_memory.h"
#include "mining/thread_miner.h"
#include "reference.h"
#include "tests/unit/temporary_directory.h"

using namespace eventchain;
using namespace eventchain::mining;

namespace {

// Hashes a preimage as the test wants, and counts.
struct CountingDigest final : chain::ShareDigest {
  [[nodiscard]] chain::WorkFunction function() const override {
    return chain::WorkFunction::kRandomXV1;
  }
  [[nodiscard]] chain::Hash digest(const chain::SharePreimage& preimage) const override {
    ++count;
    chain::Hash hash;
    hash.octets[0] = preimage.octets[0];
    return hash;
  }
  mutable int count = 0;
};

chain::SharePreimage preimage_of(std::uint8_t number) {
  chain::SharePreimage preimage;
  preimage.octets[0] = number;
  return preimage;
}

}  // namespace

TEST_CASE("a digest is computed once while it is remembered, and the oldest is forgotten") {
  const CountingDigest computing;
  const MemoDigest memo(computing, 3);
  for (int round = 0; round < 2; ++round)
    for (std::uint8_t i = 1; i <= 3; ++i) CHECK(memo.digest(preimage_of(i)).octets[0] == i);
  CHECK(computing.count == 3);
  const std::vector<chain::SharePreimage> some{preimage_of(2), preimage_of(4), preimage_of(3)};
  const std::vector<chain::Hash> hashes = memo.digests(some);
  REQUIRE(hashes.size() == 3);
  CHECK(hashes[0].octets[0] == 2);
  CHECK(hashes[1].octets[0] == 4);
  CHECK(hashes[2].octets[0] == 3);
  CHECK(computing.count == 4);
  CHECK_FALSE(memo.knows(preimage_of(1)));
  CHECK(memo.knows(preimage_of(2)));
}

TEST_CASE("a second look replaces the first, and is taken once") {
  struct TwoLooks final : chain::ShareDigest {
    [[nodiscard]] chain::WorkFunction function() const override {
      return chain::WorkFunction::kRandomXV1;
    }
    [[nodiscard]] chain::Hash digest(const chain::SharePreimage&) const override { return {}; }
    [[nodiscard]] std::optional<chain::Hash> again(const chain::SharePreimage&) const override {
      ++looks;
      chain::Hash hash;
      hash.octets[0] = 1;
      return hash;
    }
    mutable int looks = 0;
  };
  const TwoLooks computing;
  const MemoDigest memo(computing, 3);
  CHECK(memo.digest(preimage_of(1)).octets[0] == 0);
  for (int i = 0; i < 2; ++i) CHECK(memo.again(preimage_of(1)).value().octets[0] == 1);
  CHECK(computing.looks == 1);
  CHECK(memo.digest(preimage_of(1)).octets[0] == 1);
  CHECK(memo.again(preimage_of(2)).value().octets[0] == 1);  // without a first
  CHECK(memo.digest(preimage_of(2)).octets[0] == 1);
  const CountingDigest sure;
  CHECK_FALSE(MemoDigest(sure, 3).again(preimage_of(1)).has_value());
  CHECK(sure.count == 0);
}

TEST_CASE("each work function is set up with what checks and what searches its shares") {
  chain::Genesis genesis;
  chain::Rng rng(3);
  const WorkOrder order = reference::random_order(rng, 1);
  for (const chain::WorkFunction function :
       {chain::WorkFunction::kSha256, chain::WorkFunction::kRandomXV1}) {
    INFO(chain::to_string(function));
    genesis.work_function = function;
    const auto work = set_up_work(genesis, {.randomx = RandomXMode::kLight});
    REQUIRE(work.has_value());
    CHECK(work->digest->function() == function);
    CHECK((work->slow != nullptr) == (function == chain::WorkFunction::kRandomXV1));
    std::mutex mutex;
    std::vector<chain::Nonce> found;
    WakeUp wake;
    ThreadMinerOptions options;
    options.search = work->search;
    ThreadMiner miner(options, [&](const ShareFound& share) {
      const std::lock_guard lock(mutex);
      if (found.size() < 3) found.push_back(share.nonce);
      if (found.size() == 3) wake.notify();
    });
    miner.mine(order);
    wake.wait();
    miner.stop();
    for (const chain::Nonce& nonce : found)
      CHECK(chain::share_meets(*work->digest, order.header, nonce, order.target));
  }
  genesis.work_function = chain::WorkFunction::kNone;
  const auto none = set_up_work(genesis, {});
  REQUIRE(none.has_value());
  CHECK(none->digest->function() == chain::WorkFunction::kNone);
  CHECK_FALSE(none->search);
}

TEST_CASE("the names of RandomX's modes are read, and no others") {
  CHECK(parse_randomx_mode("auto") == RandomXMode::kAuto);
  CHECK(parse_randomx_mode("light") == RandomXMode::kLight);
  CHECK(parse_randomx_mode("fast") == RandomXMode::kFast);
  CHECK_FALSE(parse_randomx_mode("").has_value());
  CHECK_FALSE(parse_randomx_mode("Fast").has_value());
}

TEST_CASE("memory is what the host has to give, and no more than the control groups leave") {
  const TemporaryDirectory root;
  const auto write = [&root](const std::string& file, const std::string& text) {
    const auto path = root.path() / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  };
  CHECK_FALSE(available_memory(root.path()).has_value());
  write("proc/meminfo", "MemTotal:  100 kB\nMemAvailable:   5000 kB\nBuffers: 1 kB\n");
  CHECK(available_memory(root.path()) == 5000 * 1024);
  write("proc/self/cgroup", "1:cpu:/old\n0::/a.slice/b.service\n");
  CHECK(available_memory(root.path()) == 5000 * 1024);
  write("sys/fs/cgroup/a.slice/b.service/memory.max", "max\n");
  write("sys/fs/cgroup/a.slice/b.service/memory.current", "1000\n");
  CHECK(available_memory(root.path()) == 5000 * 1024);
  write("sys/fs/cgroup/a.slice/memory.max", "1048576\n");
  write("sys/fs/cgroup/a.slice/memory.current", "48576\n");
  CHECK(available_memory(root.path()) == 1'000'000);
  write("sys/fs/cgroup/a.slice/b.service/memory.max", "900\n");
  CHECK(available_memory(root.path()) == 0);
  CHECK_FALSE(parse_available("MemAvailable: none kB").has_value());
  CHECK_FALSE(parse_available("MemFree: 7 kB").has_value());
}
