#include "mining/kernel_trial.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <utility>

#include "chain/result.h"
#include "mining/sha256_search.h"

namespace eventchain::mining {
namespace {

using Seconds = std::chrono::duration<double>;

// A probe this much below the best one found a core that somebody else used too.
constexpr double kCleanShare = 0.97;

// Processor time may be corrected afterwards on a virtual machine: seldom, a measurement then takes
// no time at all. Such values are thrown away, and the best one is not the largest but one that two
// in a hundred exceed.
constexpr double kBestQuantile = 0.98;

Seconds thread_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

[[maybe_unused]] double rate_since(Seconds start, double units) {
  const Seconds used = thread_time() - start;
  return used.count() > 0 ? units / used.count() : 0;
}

// The core's clock rate, from a chain of multiplications of which each needs the one before: three
// cycles each on every x86-64 processor of the last fifteen years; on other architectures it
// depends on the processor. The time stamp counter would not do, it runs at a rate of its own.
double core_clock() {
#if defined(__x86_64__)
  constexpr int kMultiplications = 200'000;
  constexpr double kLatency = 3;
  std::uint64_t x = 3;
  const Seconds start = thread_time();
  for (int i = 0; i < kMultiplications / 4; ++i)
    asm volatile("imul %0, %0\n\timul %0, %0\n\timul %0, %0\n\timul %0, %0" : "+r"(x));
  return rate_since(start, kMultiplications * kLatency);
#else
  return 0;
#endif
}

// Independent additions of vectors: as many as the core can start. Without such a probe for an
// architecture every chunk passes.
double probe() {
#if defined(__x86_64__)
  constexpr int kTurns = 60'000;
  constexpr int kAdditions = 8;
  using Vector = std::uint32_t __attribute__((vector_size(16)));
  const Vector one = Vector{} + 1;
  Vector a{}, b{}, c{}, d{}, e{}, f{}, g{}, h{};
  const Seconds start = thread_time();
  for (int i = 0; i < kTurns; ++i)
    asm volatile(
        "paddd %8, %0\n\tpaddd %8, %1\n\tpaddd %8, %2\n\tpaddd %8, %3\n\t"
        "paddd %8, %4\n\tpaddd %8, %5\n\tpaddd %8, %6\n\tpaddd %8, %7"
        : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "+x"(e), "+x"(f), "+x"(g), "+x"(h)
        : "x"(one));
  return rate_since(start, double{kTurns} * kAdditions);
#else
  return 1;
#endif
}

double quantile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

double median(std::vector<double> values) {
  return quantile(std::move(values), 0.5);
}

const kernels::Kernel& find_fastest() {
  constexpr std::chrono::milliseconds kTrial{20};
  constexpr std::chrono::milliseconds kChunk{1};
  const auto supported = kernels::supported_kernels();
  if (supported.size() == 1) return supported.front();
  Contest contest(kChunk);
  for (const kernels::Kernel& kernel : supported)
    contest.add(std::string(kernel.name), kernel_at_work(kernel));
  const auto rounds = kTrial / (kChunk * static_cast<std::int64_t>(supported.size()));
  for (std::int64_t i = 0; i < std::max<std::int64_t>(1, rounds); ++i) contest.run_round();
  const std::vector<Rate> rates = contest.rates();
  const auto best = std::max_element(rates.begin(), rates.end(), [](const Rate& x, const Rate& y) {
    return x.per_second < y.per_second;
  });
  return supported[static_cast<std::size_t>(best - rates.begin())];
}

}  // namespace

void Contest::add(std::string name, Work work) {
  contenders_.push_back({.name = std::move(name), .work = std::move(work), .chunks = {}});
}

void Contest::run_chunk(std::size_t contender) {
  EC_ASSERT(contender < contenders_.size(), "a contender of this contest");
  Contender& at = contenders_[contender];
  const double before = probe();
  std::uint64_t units = 0;
  const Seconds start = thread_time();
  Seconds used{};
  while (used < chunk_) {
    units += at.work();
    used = thread_time() - start;
  }
  const double after = probe();
  at.chunks.push_back({.per_second = static_cast<double>(units) / used.count(),
                       .clock = core_clock(),
                       .worst_probe = std::min(before, after)});
}

void Contest::run_round() {
  for (std::size_t i = 0; i < contenders_.size(); ++i) run_chunk(i);
}

double Contest::clean_probe() const {
  std::vector<double> probes;
  for (const Contender& contender : contenders_)
    for (const Chunk& chunk : contender.chunks) probes.push_back(chunk.worst_probe);
  return kCleanShare * quantile(std::move(probes), kBestQuantile);
}

std::vector<Rate> Contest::rates() const {
  const double limit = clean_probe();
  std::vector<Rate> result;
  for (const Contender& contender : contenders_) {
    std::vector<Chunk> counted;
    for (const Chunk& chunk : contender.chunks)
      if (chunk.worst_probe >= limit) counted.push_back(chunk);
    const std::size_t clean = counted.size();
    if (clean == 0) counted = contender.chunks;
    std::vector<double> rates;
    std::vector<double> cycles;
    for (const Chunk& chunk : counted) {
      rates.push_back(chunk.per_second);
      cycles.push_back(chunk.clock / chunk.per_second);
    }
    result.push_back({.name = contender.name,
                      .per_second = median(std::move(rates)),
                      .cycles_each = median(std::move(cycles)),
                      .chunks = contender.chunks.size(),
                      .clean_chunks = clean});
  }
  return result;
}

Contest::Work kernel_at_work(const kernels::Kernel& kernel) {
  struct Working {
    explicit Working(const kernels::Kernel& with) : search(with) {}
    Sha256Search search;
    std::uint32_t word12 = 0;
    std::vector<chain::Nonce> shares;
  };
  const auto working = std::make_shared<Working>(kernel);
  std::array<std::uint64_t, Sha256Search::kTileWidth> nonce_highs{};
  for (std::size_t i = 0; i < nonce_highs.size(); ++i) nonce_highs[i] = i;
  working->search.set_template({}, {});
  working->search.set_tile(nonce_highs);
  return [working] {
    const std::uint32_t rows = working->search.max_rows();
    const std::uint64_t hashes = working->search.scan({working->word12, rows}, working->shares);
    working->word12 += rows;
    return hashes;
  };
}

const kernels::Kernel& fastest_kernel() {
  static const kernels::Kernel& kernel = find_fastest();
  return kernel;
}

}  // namespace eventchain::mining
