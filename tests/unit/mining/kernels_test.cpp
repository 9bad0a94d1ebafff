#include <doctest/doctest.h>
#include <openssl/sha.h>

#include <algorithm>
#include <string>

#include "chain/hash.h"
#include "mining/cpu_features.h"
#include "mining/kernel_trial.h"
#include "mining/kernels/kernel.h"

using namespace eventchain;
using namespace eventchain::mining;

TEST_CASE("our compression function gives SHA-256's test vector") {
  // FIPS 180-4, "abc": one padded block.
  kernels::BlockWords words{};
  words[0] = 0x61626380;
  words[15] = 24;
  const kernels::State expected = {0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
                                   0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad};
  CHECK(kernels::compress(kernels::kInitialState, words) == expected);
}

TEST_CASE("rounds may be run in parts") {
  kernels::BlockWords words{};
  for (std::uint32_t i = 0; i < words.size(); ++i) words[i] = i * 0x9e3779b9;
  const kernels::Schedule schedule = kernels::expand_schedule(words);
  const kernels::State whole = kernels::run_rounds(kernels::kInitialState, schedule, 0, 64);
  for (std::size_t cut = 0; cut <= 64; ++cut) {
    const kernels::State half = kernels::run_rounds(kernels::kInitialState, schedule, 0, cut);
    CHECK(kernels::run_rounds(half, schedule, cut, 64) == whole);
  }
}

TEST_CASE("the processor's kernels are offered and no others, and one runs everywhere") {
  std::vector<std::string> expected;
  const CpuFeatures& cpu = cpu_features();
  if (cpu.sha_ni) expected.emplace_back("sha-ni");
  if (cpu.avx512f) expected.emplace_back("avx512");
  if (cpu.avx2) expected.emplace_back("avx2");
#if defined(EC_HAVE_ARM_SHA2)
  if (cpu.arm_sha2) expected.emplace_back("arm-sha2");
#endif
  expected.emplace_back("vectors");
  std::vector<std::string> offered;
  for (const kernels::Kernel& kernel : kernels::supported_kernels()) {
    offered.emplace_back(kernel.name);
    CHECK(kernel.quantum > 0);
  }
  CHECK(offered == expected);
  for (const std::string& name : offered) MESSAGE("tested here: ", name);
}

TEST_CASE("the fastest kernel is one of the processor's, and the answer stays") {
  const kernels::Kernel& fastest = fastest_kernel();
  const auto supported = kernels::supported_kernels();
  CHECK(std::any_of(supported.begin(), supported.end(), [&fastest](const kernels::Kernel& kernel) {
    return kernel.name == fastest.name && kernel.scan == fastest.scan;
  }));
  CHECK(&fastest_kernel() == &fastest);
}

TEST_CASE("a contest gives each contender its chunks and finds who does more") {
  // Both burn the same time a turn, one counts a thousand times as much of it.
  const auto burn = [] {
    for (int i = 0; i < 5'000; ++i) asm volatile("");
  };
  int slow_turns = 0;
  Contest contest(std::chrono::microseconds(200));
  contest.add("slow", [&] {
    burn();
    ++slow_turns;
    return std::uint64_t{1};
  });
  contest.add("fast", [&] {
    burn();
    return std::uint64_t{1000};
  });
  for (int i = 0; i < 5; ++i) contest.run_round();
  contest.run_chunk(1);
  const std::vector<Rate> rates = contest.rates();
  REQUIRE(rates.size() == 2);
  CHECK(rates[0].name == "slow");
  CHECK(rates[0].chunks == 5);
  CHECK(rates[1].chunks == 6);
  CHECK(rates[0].clean_chunks + rates[1].clean_chunks >= 1);
  CHECK(rates[0].per_second > 0);
  CHECK(rates[1].per_second > rates[0].per_second);
  CHECK(slow_turns >= 5);
}

TEST_CASE("a kernel at work counts its hashes") {
  for (const kernels::Kernel& kernel : kernels::supported_kernels()) {
    const Contest::Work work = kernel_at_work(kernel);
    CHECK(work() == std::uint64_t{kernel.quantum} * kernels::kTileWidth);
    CHECK(work() == std::uint64_t{kernel.quantum} * kernels::kTileWidth);
  }
}
