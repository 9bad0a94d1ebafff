#include "mining/kernel_trial.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>

#include "mining/sha256_search.h"

namespace eventchain::mining {
namespace {

using Seconds = std::chrono::duration<double>;

// Long enough that reading the clock does not count, short enough to take turns often.
constexpr std::chrono::milliseconds kChunk{5};

Seconds thread_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// The core's clock rate, from a chain of multiplications of which each needs the one before: three
// cycles each on every x86-64 processor of the last fifteen years. The time stamp counter would not
// do, it runs at a rate of its own.
double core_cycles_per_second() {
#if defined(__x86_64__)
  constexpr int kMultiplications = 200'000;
  constexpr double kLatency = 3;
  std::uint64_t x = 3;
  const Seconds start = thread_time();
  for (int i = 0; i < kMultiplications / 4; ++i)
    asm volatile("imul %0, %0\n\timul %0, %0\n\timul %0, %0\n\timul %0, %0" : "+r"(x));
  return kMultiplications * kLatency / (thread_time() - start).count();
#else
  return 0;
#endif
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// One kernel at work on a template of zeros with a target nothing meets.
struct Contender {
  explicit Contender(const kernels::Kernel& kernel) : search(kernel) {
    std::array<std::uint64_t, Sha256Search::kTileWidth> nonce_highs{};
    for (std::size_t i = 0; i < nonce_highs.size(); ++i) nonce_highs[i] = i;
    search.set_template({}, {});
    search.set_tile(nonce_highs);
  }

  void run_chunk() {
    std::uint64_t hashes = 0;
    const Seconds start = thread_time();
    Seconds used{};
    while (used < kChunk) {
      hashes += search.scan({word12, search.max_rows()}, shares);
      word12 += search.max_rows();
      used = thread_time() - start;
    }
    rates.push_back(static_cast<double>(hashes) / used.count());
    cycles.push_back(core_cycles_per_second() / rates.back());
  }

  Sha256Search search;
  std::uint32_t word12 = 0;
  std::vector<chain::Nonce> shares;
  std::vector<double> rates;
  std::vector<double> cycles;
};

}  // namespace

std::vector<KernelRate> measure_kernels(std::chrono::milliseconds per_kernel) {
  std::vector<Contender> contenders;
  for (const kernels::Kernel& kernel : kernels::supported_kernels())
    contenders.emplace_back(kernel);
  const auto rounds = std::max<std::int64_t>(1, per_kernel / kChunk);
  for (std::int64_t i = 0; i < rounds; ++i)
    for (Contender& contender : contenders) contender.run_chunk();

  std::vector<KernelRate> result;
  for (std::size_t i = 0; i < contenders.size(); ++i)
    result.push_back({.name = kernels::supported_kernels()[i].name,
                      .hashes_per_second = median(contenders[i].rates),
                      .cycles_per_hash = median(contenders[i].cycles)});
  return result;
}

}  // namespace eventchain::mining
