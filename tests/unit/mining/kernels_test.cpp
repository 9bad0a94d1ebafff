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

TEST_CASE("there is always a kernel that runs everywhere, and SHA-NI comes first where it exists") {
  const auto supported = kernels::supported_kernels();
  REQUIRE_FALSE(supported.empty());
  CHECK(supported.back().name == "vectors");
  CHECK(cpu_features().sha_ni == (supported.front().name == "sha-ni"));
  CHECK(kernels::fastest_kernel().name == supported.front().name);
  for (const kernels::Kernel& kernel : supported) CHECK(kernel.quantum > 0);
}

TEST_CASE("a trial measures every supported kernel, in their order") {
  const auto supported = kernels::supported_kernels();
  const std::vector<KernelRate> rates = measure_kernels(std::chrono::milliseconds(1));
  REQUIRE(rates.size() == supported.size());
  for (std::size_t i = 0; i < rates.size(); ++i) {
    CHECK(rates[i].name == supported[i].name);
    CHECK(rates[i].hashes_per_second > 0);
    MESSAGE(std::string(rates[i].name), ": ", rates[i].hashes_per_second / 1e6, " MH/s, ",
            rates[i].cycles_per_hash, " cycles per hash");
  }
}
