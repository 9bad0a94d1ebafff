#include <doctest/doctest.h>

#include <algorithm>

#include "chain/rng.h"
#include "mining/host_text.h"

using namespace eventchain;
using namespace eventchain::mining;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::nanoseconds kTick = 10ms;

// Of a virtual machine with two processors.
constexpr std::string_view kStat =
    "cpu  5831591 2475907 785722 3157758 69082 0 52799 139904 0 0\n"
    "cpu0 2859520 1228958 375422 1684393 27595 0 14034 70115 0 0\n"
    "cpu1 2972071 1246949 410299 1473364 41486 0 38764 69788 0 0\n"
    "intr 50971711 0 0 0 0 0 0\n"
    "ctxt 98261289\n"
    "btime 1700000000\n";

std::string damaged(chain::Rng& rng, std::string_view good) {
  std::string text(good);
  for (std::uint64_t n = rng.below(8); n < 8; ++n) {
    switch (rng.below(3)) {
      case 0:
        if (!text.empty()) text[rng.below(text.size())] = static_cast<char>(rng.below(256));
        break;
      case 1:
        text.resize(rng.below(text.size() + 1));
        break;
      default:
        text.insert(rng.below(text.size() + 1), std::string(rng.below(30), '9'));
    }
  }
  return text;
}

}  // namespace

TEST_CASE("the times of the wanted processors are added up, waiting for disks as idle") {
  CHECK(parse_stat(kStat, {0, 1}, kTick) ==
        ProcessorTimes{kTick * (1684393 + 27595 + 1473364 + 41486), kTick * (70115 + 69788)});
  CHECK(parse_stat(kStat, {1}, kTick) == ProcessorTimes{kTick * (1473364 + 41486), kTick * 69788});
  // One that is switched off is not listed.
  CHECK(parse_stat(kStat, {1, 7}, kTick) == parse_stat(kStat, {1}, kTick));
}

TEST_CASE("lines without the later fields, of old kernels, are read as far as they go") {
  CHECK(parse_stat("cpu 1 2 3 4\ncpu0 1 2 3 4\n", {0}, kTick) == ProcessorTimes{kTick * 4, 0ms});
  CHECK(parse_stat("cpu0 1 2 3 4 5\nintr 1\n", {0}, kTick) == ProcessorTimes{kTick * 9, 0ms});
}

TEST_CASE("a text without the processors says nothing") {
  CHECK_FALSE(parse_stat("", {0}, kTick));
  CHECK_FALSE(parse_stat("\n\n", {0}, kTick));
  CHECK_FALSE(parse_stat("cpu  1 2 3 4 5 6 7 8\n", {0}, kTick));
  CHECK_FALSE(parse_stat("cpu0 1 2 3\n", {0}, kTick));
  CHECK_FALSE(parse_stat("cpu0 1 2 3 x 5\n", {0}, kTick));
  CHECK_FALSE(parse_stat("cpu0 1 2 3 -4 5\n", {0}, kTick));
  CHECK_FALSE(parse_stat("cpu0 1 2 3 4 5", {0}, kTick));  // cut off
  CHECK_FALSE(parse_stat(kStat, {2, 3}, kTick));
  CHECK_FALSE(parse_stat(std::string_view("\0\0\0", 3), {0}, kTick));
}

TEST_CASE("times that no clock holds count as nothing") {
  const auto times =
      parse_stat("cpu0 1 2 3 18446744073709551615 5 6 7 18446744073709551616 9\n", {0}, kTick);
  CHECK(times == ProcessorTimes{kTick * 5, 0ms});
}

TEST_CASE("damaged kernel files are read or refused, with times that are never negative") {
  for (std::uint64_t seed = 1; seed <= 5'000; ++seed) {
    INFO("seed ", seed);
    chain::Rng rng(seed);
    if (const auto times = parse_stat(damaged(rng, kStat), {0, 1}, kTick)) {
      CHECK(times->idle >= 0ms);
      CHECK(times->stolen >= 0ms);
    }
    if (const auto list = parse_processor_list(damaged(rng, "0-3,8,10-11\n"))) {
      CHECK(list->size() <= kProcessorsMax);
      CHECK(std::is_sorted(list->begin(), list->end()));
    }
    CHECK(idle_marks(damaged(rng, "4:cpu,cpuacct:/a/b\n0::/system.slice/x.service\n")).size() <
          200);
  }
}

TEST_CASE("lists of processors") {
  CHECK(parse_processor_list("0") == ProcessorSet{0});
  CHECK(parse_processor_list("0,64\n") == ProcessorSet{0, 64});
  CHECK(parse_processor_list("0-2,8,10-11\n") == ProcessorSet{0, 1, 2, 8, 10, 11});
  for (const char* text : {"", "\n", ",", "0,", "1-", "-1", "3-1", "0,0", "2,1", "0-99999", "a",
                           "0 1", "0x1", "4294967296"}) {
    INFO(text);
    CHECK_FALSE(parse_processor_list(text));
  }
}

TEST_CASE("processors of one physical core count once") {
  CHECK(count_cores({0, 1}, {"0\n", "1\n"}) == 2);
  CHECK(count_cores({0, 1, 2, 3}, {"0,2", "1,3", "0,2", "1,3"}) == 2);
  CHECK(count_cores({0, 1, 2, 3}, {"0-1", "0-1", "2-3", "2-3"}) == 2);
  // The siblings belong to somebody else.
  CHECK(count_cores({2, 3}, {"0,2", "1,3"}) == 2);
  CHECK(count_cores({1, 2, 3}, {"1,3", "0,2", "1,3"}) == 2);
  // Nothing is known of the topology.
  CHECK(count_cores({0, 1, 2}, {}) == 3);
  CHECK(count_cores({0, 1}, {"", "what"}) == 2);
}

TEST_CASE("a unified hierarchy says idle in its group or in one above") {
  CHECK(idle_marks("0::/system.slice/eventchain-miner.service\n") ==
        std::vector<IdleMark>{{"sys/fs/cgroup/system.slice/eventchain-miner.service/cpu.idle", 1},
                              {"sys/fs/cgroup/system.slice/cpu.idle", 1},
                              {"sys/fs/cgroup/cpu.idle", 1}});
  CHECK(idle_marks("0::/\n") == std::vector<IdleMark>{{"sys/fs/cgroup/cpu.idle", 1}});
}

TEST_CASE(
    "with controllers apart the group of the cpu controller counts, and systemd's two shares") {
  const std::vector<IdleMark> marks =
      idle_marks("5:memory:/m\n4:cpu,cpuacct:/miner\n3:cpuset:/c\n1:name=systemd:/s\n");
  CHECK(marks == std::vector<IdleMark>{{"sys/fs/cgroup/cpu,cpuacct/miner/cpu.idle", 1},
                                       {"sys/fs/cgroup/cpu,cpuacct/miner/cpu.shares", 2},
                                       {"sys/fs/cgroup/cpu,cpuacct/cpu.idle", 1},
                                       {"sys/fs/cgroup/cpu,cpuacct/cpu.shares", 2}});
}

TEST_CASE("of all hierarchies the unified one is found, with the groups above") {
  CHECK(unified_groups("5:memory:/m\n0::/system.slice/x.service\n") ==
        std::vector<std::string>{"/system.slice/x.service", "/system.slice", ""});
  CHECK(unified_groups("0::/\n") == std::vector<std::string>{""});
  for (const char* text : {"", "5:memory:/m\n", "0::/../outside\n", "0::relative\n"}) {
    INFO(text);
    CHECK(unified_groups(text).empty());
  }
}

TEST_CASE("groups that cannot be reached or named are left out") {
  for (const char* text : {"", "\n", "0::", "0::relative", "0::/../outside", "0::/a/../b", "9:cpu",
                           "3:cpuset:/x", "1::/x", "nonsense"}) {
    INFO(text);
    CHECK(idle_marks(text).empty());
  }
}

TEST_CASE("counts are whole numbers") {
  CHECK(parse_count("0\n") == 0);
  CHECK(parse_count("18446744073709551615") == 18446744073709551615ULL);
  for (const char* text : {"", "\n", "-1", "1 ", "1\n\n", "18446744073709551616", "x"}) {
    INFO(text);
    CHECK_FALSE(parse_count(text));
  }
}
