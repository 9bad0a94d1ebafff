#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "chain/bytes.h"
#include "chain/result.h"
#include "mining/handoff.h"

struct randomx_cache;
struct randomx_dataset;

namespace eventchain::mining::randomx {

// How much memory RandomX gets: with the cache alone (256 MiB) a hash takes some 30 ms, with the
// dataset made of it (2080 MiB more) some 3 to 6 ms. The digests are the same.
enum class Mode : std::uint8_t {
  kAuto,  // fast where the host has the memory to spare when it is to be built
  kLight,
  kFast,
};

// Which ways of the library are tried. Tests switch some off; a host may refuse some.
struct Ways {
  bool jit = true;         // machine code made at run time; ten times as fast as interpreting
  bool hard_aes = true;    // the processor's AES instructions
  bool huge_pages = true;  // reserved ones (vm.nr_hugepages)
};

struct MemoryOptions {
  Mode mode = Mode::kLight;
  Ways ways;
  // What an operator wants to know of it: how far the dataset is, and what the host refused. Never
  // called on a thread that builds or computes.
  std::function<void(const std::string&)> tell = [](const std::string&) {};
};

// What all machines of one chain share: the cache of its key, and in fast mode the dataset. Read
// only, but for the building of the dataset.
//
// The dataset is built in pieces by whoever wants it, in their own time (build_piece): so the
// building obeys the same limits as the search, and can be left at any piece.
//
// Threading: any thread. Outlives its machines.
class Memory {
 public:
  static constexpr std::uint64_t kCacheBytes = std::uint64_t{256} << 20;
  static constexpr std::uint64_t kDatasetBytes = std::uint64_t{2080} << 20;
  // What kAuto leaves to others.
  static constexpr std::uint64_t kMarginBytes = std::uint64_t{1} << 30;

  // Takes about half a second. A chain's key is its id, for ever. An error where 256 MiB are not to
  // be had.
  static chain::Result<std::shared_ptr<Memory>> make(chain::ByteView key, MemoryOptions options);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // Builds a piece of the dataset, which takes some 50 ms; false if there is none to build: it is
  // complete, others build what is left, or it is not wanted.
  bool build_piece();
  // The whole dataset is there.
  [[nodiscard]] bool is_fast() const { return is_fast_.load(std::memory_order_acquire); }

  // In force for machines that are made from now on. A host may refuse machine code at any time.
  [[nodiscard]] bool has_jit() const { return has_jit_.load(std::memory_order_relaxed); }
  void lose_jit();
  [[nodiscard]] const Ways& ways() const { return options_.ways; }

  [[nodiscard]] randomx_cache* cache() const { return cache_; }
  [[nodiscard]] randomx_dataset* dataset() const { return is_fast() ? dataset_ : nullptr; }

 private:
  explicit Memory(MemoryOptions options);
  bool make_cache(chain::ByteView key, const Ways& ways);
  // Decides about the dataset and reserves its memory; once.
  void begin_dataset();
  // What happened, to be told by the teller's thread. From kTenths on: how many are built.
  enum class News : std::uint8_t {
    kLight,
    kNoMemory,
    kBuilding,
    kComplete,
    kLostJit,
    kTenths = 16
  };
  static std::string text_of(unsigned bit);
  void note(News news);
  void note_progress(std::uint64_t built, std::uint64_t count);
  void run_teller(const std::stop_token& stopping);

  // constant after make()
  const MemoryOptions options_;
  randomx_cache* cache_ = nullptr;
  const std::uint64_t items_;

  // The dataset is written by build_piece() and read once is_fast_.
  enum class Building : std::uint8_t { kNotBegun, kBeginning, kBuilding, kNotWanted };
  std::atomic<Building> building_{Building::kNotBegun};
  randomx_dataset* dataset_ = nullptr;
  std::atomic<std::uint64_t> claimed_{0};
  std::atomic<std::uint64_t> built_{0};
  std::atomic<bool> is_fast_{false};
  std::atomic<bool> has_jit_{true};

  std::atomic<std::uint32_t> news_{0};  // a bit for each
  WakeUp came_;
  std::jthread telling_;
};

}  // namespace eventchain::mining::randomx
