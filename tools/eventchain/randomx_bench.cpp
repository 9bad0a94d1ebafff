#include "tools/eventchain/randomx_bench.h"

#include <algorithm>
#include <ctime>
#include <memory>
#include <thread>
#include <utility>

#include "chain/block.h"
#include "mining/randomx/machine.h"
#include "mining/randomx/memory.h"

namespace eventchain::tools {
namespace {

using Clock = std::chrono::steady_clock;
using mining::randomx::Machine;
using mining::randomx::Memory;

constexpr std::string_view kKey = "eventchain bench";

double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

chain::SharePreimage preimage_of(std::uint64_t number) {
  chain::SharePreimage preimage;
  for (std::size_t i = 0; i < sizeof(number); ++i)
    preimage.octets[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return preimage;
}

// As a miner does it: each thread with a machine of its own, hash after hash.
RandomXBench::Line measure(const std::shared_ptr<Memory>& memory, unsigned threads,
                           std::chrono::milliseconds duration) {
  std::vector<double> rates(threads);
  {
    std::vector<std::jthread> running;
    for (unsigned i = 0; i < threads; ++i)
      running.emplace_back([&memory, &rates, duration, i] {
        Machine machine(memory);
        machine.begin(preimage_of(0).view());
        machine.next(preimage_of(1).view());
        const Clock::time_point end = Clock::now() + duration;
        const double begin = thread_seconds();
        std::uint64_t hashes = 0;
        do machine.next(preimage_of(++hashes + 1).view());
        while (Clock::now() < end);
        rates[i] = static_cast<double>(hashes) / std::max(thread_seconds() - begin, 1e-9);
      });
  }
  double sum = 0;
  for (const double rate : rates) sum += rate;
  return {memory->is_fast() ? "fast" : "light", threads, sum / threads};
}

void build(Memory& memory, unsigned threads) {
  std::vector<std::jthread> builders;
  for (unsigned i = 0; i < threads; ++i)
    builders.emplace_back([&memory] {
      while (memory.build_piece()) {
      }
    });
}

}  // namespace

chain::Result<RandomXBench> bench_randomx(const RandomXBenchOptions& options) {
  RandomXBench bench;
  const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
  mining::randomx::MemoryOptions wanted;
  wanted.mode = options.with_fast ? mining::randomx::Mode::kFast : mining::randomx::Mode::kLight;
  wanted.tell = options.tell;
  const Clock::time_point begin = Clock::now();
  const auto memory = Memory::make(kKey, std::move(wanted));
  if (!memory) return tl::unexpected<chain::Error>(memory.error());
  bench.cache_seconds = seconds_since(begin);
  const int parts = (processors > 1 ? 2 : 1) * (options.with_fast ? 2 : 1);
  const auto measure_all = [&] {
    bench.lines.push_back(measure(*memory, 1, options.duration / parts));
    if (processors > 1)
      bench.lines.push_back(measure(*memory, processors, options.duration / parts));
  };
  measure_all();
  Machine light(*memory);
  bench.has_machine_code = light.has_jit();
  if (!options.with_fast) return bench;

  const Clock::time_point building = Clock::now();
  build(**memory, processors);
  if (!(*memory)->is_fast())
    return chain::fail(chain::ErrorCode::kIo,
                       "there are no 2080 MiB of memory for RandomX's dataset; leave --fast away");
  bench.dataset_seconds = seconds_since(building);
  measure_all();
  Machine fast(*memory);
  for (std::uint64_t i = 0; i < 4; ++i)
    if (light.digest(preimage_of(i).view()) != fast.digest(preimage_of(i).view()))
      return chain::fail(chain::ErrorCode::kInvalid,
                         "light and fast mode give different hashes: this machine's memory or "
                         "processor makes mistakes; do not mine on it");
  return bench;
}

}  // namespace eventchain::tools
