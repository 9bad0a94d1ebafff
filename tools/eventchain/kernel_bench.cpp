#include "tools/eventchain/kernel_bench.h"

#include <array>
#include <atomic>
#include <barrier>
#include <cstdint>
#include <memory>
#include <span>
#include <thread>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "chain/block.h"
#include "chain/result.h"

namespace eventchain::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBlockSize = 64;
constexpr std::size_t kBulkSize = 8192;

// One thread's use of OpenSSL's SHA-256, set up once as a careful program would.
class OpenSslHash {
 public:
  void hash(std::span<const unsigned char> message) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    const bool done = EVP_DigestInit_ex2(context_.get(), kind_.get(), nullptr) == 1 &&
                      EVP_DigestUpdate(context_.get(), message.data(), message.size()) == 1 &&
                      EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1;
    EC_ASSERT(done, "OpenSSL has SHA-256");
  }

 private:
  struct Free {
    void operator()(EVP_MD* kind) const { EVP_MD_free(kind); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD, Free> kind_{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  std::unique_ptr<EVP_MD_CTX, Free> context_{EVP_MD_CTX_new()};
};

mining::Contest::Work openssl_at_work(std::size_t message_size, std::uint64_t units_each) {
  const auto hash = std::make_shared<OpenSslHash>();
  const std::vector<unsigned char> message(message_size, 0x5a);
  // About a tenth of a millisecond at a time, so that reading the clock does not count.
  const std::uint64_t messages = 64 * kBulkSize / (message_size + 4 * kBlockSize);
  return [hash, message, messages, units_each] {
    for (std::uint64_t i = 0; i < messages; ++i) hash->hash(message);
    return messages * units_each;
  };
}

void add_kernels(mining::Contest& contest) {
  for (const mining::kernels::Kernel& kernel : mining::kernels::supported_kernels())
    contest.add(std::string(kernel.name), mining::kernel_at_work(kernel));
}

void measure_one_thread(KernelBench& bench, Clock::time_point end) {
  mining::Contest contest;
  add_kernels(contest);
  contest.add("openssl 8 KiB", openssl_at_work(kBulkSize, kBulkSize / kBlockSize));
  contest.add("openssl share", openssl_at_work(chain::kSharePreimageSize, 1));
  do contest.run_round();
  while (Clock::now() < end);
  std::vector<mining::Rate> rates = contest.rates();
  bench.openssl_messages = std::move(rates.back());
  rates.pop_back();
  bench.openssl_blocks = std::move(rates.back());
  rates.pop_back();
  for (mining::Rate& rate : rates) bench.kernels.push_back({.threads = 1, .rate = std::move(rate)});
}

// All threads run the same kernel at the same time: only then does a core that two of them share
// show what it gives to both.
void measure_all_threads(KernelBench& bench, unsigned threads, Clock::time_point end) {
  const std::size_t kernels = mining::kernels::supported_kernels().size();
  std::vector<mining::Contest> contests(threads);
  for (mining::Contest& contest : contests) add_kernels(contest);
  std::atomic<bool> go_on = true;
  std::barrier round(static_cast<std::ptrdiff_t>(threads),
                     [&]() noexcept { go_on = Clock::now() < end; });
  std::barrier chunk(static_cast<std::ptrdiff_t>(threads));
  {
    std::vector<std::jthread> running;
    for (mining::Contest& contest : contests)
      running.emplace_back([&contest, &round, &chunk, &go_on, kernels] {
        do {
          for (std::size_t i = 0; i < kernels; ++i) {
            chunk.arrive_and_wait();
            contest.run_chunk(i);
          }
          round.arrive_and_wait();
        } while (go_on);
      });
  }
  for (std::size_t i = 0; i < kernels; ++i) {
    mining::Rate sum;
    double cycles = 0;
    for (const mining::Contest& contest : contests) {
      const mining::Rate own = contest.rates()[i];
      sum.name = own.name;
      sum.per_second += own.per_second;
      sum.chunks += own.chunks;
      sum.clean_chunks += own.clean_chunks;
      cycles += own.cycles_each;
    }
    sum.cycles_each = cycles / threads;
    bench.kernels.push_back({.threads = threads, .rate = std::move(sum)});
  }
}

}  // namespace

KernelBench bench_kernels(std::chrono::milliseconds duration) {
  KernelBench bench;
  bench.openssl_version = OpenSSL_version(OPENSSL_VERSION_STRING);
  bench.chosen = mining::fastest_kernel().name;
  const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
  const Clock::time_point start = Clock::now();
  measure_one_thread(bench, start + (processors > 1 ? duration / 2 : duration));
  if (processors > 1) measure_all_threads(bench, processors, start + duration);
  return bench;
}

}  // namespace eventchain::tools
