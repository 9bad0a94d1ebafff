#include "mining/randomx/memory.h"

#include <randomx.h>
#include <sys/mman.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "mining/host_memory.h"

namespace eventchain::mining::randomx {
namespace {

// 2 MiB of the dataset: 1040 pieces.
constexpr std::uint64_t kPieceItems = 32'768;
constexpr std::uint64_t kTenths = 10;

randomx_flags cache_flags(const Ways& ways) {
  const randomx_flags found = randomx_get_flags();
  randomx_flags flags = found & RANDOMX_FLAG_ARGON2;
  if (ways.jit) flags |= found & RANDOMX_FLAG_JIT;
  if (ways.huge_pages) flags |= RANDOMX_FLAG_LARGE_PAGES;
  return flags;
}

}  // namespace

std::string Memory::text_of(unsigned bit) {
  switch (static_cast<News>(bit)) {
    case News::kLight:
      return "randomx: light mode, for fast mode takes 2080 MiB and 1 GiB more is to be left free; "
             "mining.randomx chooses";
    case News::kNoMemory:
      return "randomx: there are no 2080 MiB of memory for fast mode; it stays light";
    case News::kBuilding:
      return "randomx: building the dataset for fast mode, beside the search";
    case News::kComplete:
      return "randomx: fast mode, the dataset is complete";
    case News::kLostJit:
      return "randomx: the system does not let memory be executed any more; hashes take five times "
             "as long";
    case News::kTenths:
      break;
  }
  return "randomx: dataset " + std::to_string((bit - static_cast<unsigned>(News::kTenths)) * 10) +
         " %";
}

Memory::Memory(MemoryOptions options)
    : options_(std::move(options)), items_(randomx_dataset_item_count()) {
  telling_ = std::jthread([this](const std::stop_token& stopping) { run_teller(stopping); });
}

Memory::~Memory() {
  telling_.request_stop();
  came_.notify();
  telling_.join();
  if (dataset_ != nullptr) randomx_release_dataset(dataset_);
  if (cache_ != nullptr) randomx_release_cache(cache_);
}

bool Memory::make_cache(chain::ByteView key, const Ways& ways) {
  try {
    cache_ = randomx_alloc_cache(cache_flags(ways));
    if (cache_ == nullptr) return false;
    randomx_init_cache(cache_, key.data(), key.size());
  } catch (const std::exception&) {
    // The library throws through its C functions where the system refuses memory to be made
    // executable.
    if (cache_ != nullptr) randomx_release_cache(std::exchange(cache_, nullptr));
    return false;
  }
  has_jit_ = ways.jit && (randomx_get_flags() & RANDOMX_FLAG_JIT) != 0;
  return true;
}

chain::Result<std::shared_ptr<Memory>> Memory::make(chain::ByteView key, MemoryOptions options) {
  std::shared_ptr<Memory> memory(new Memory(std::move(options)));
  const Ways wanted = memory->options_.ways;
  for (const bool jit : {true, false})
    for (const bool huge_pages : {true, false}) {
      if ((jit && !wanted.jit) || (huge_pages && !wanted.huge_pages)) continue;
      if (!memory->make_cache(key, {jit, wanted.hard_aes, huge_pages})) continue;
      if (wanted.jit && !memory->has_jit())
        memory->options_.tell(
            "randomx: the system does not let memory be executed that was written, so that hashes "
            "take five times as long; allow it to this process (MemoryDenyWriteExecute=no in its "
            "unit) or live with it");
      return memory;
    }
  return chain::fail(chain::ErrorCode::kIo,
                     "randomx: there are no 256 MiB of memory for its cache; without it no share "
                     "can be checked: give the process more memory");
}

// A miner's thread runs at idle priority and must not hold the log's lock (handoff.h): it leaves a
// mark, and the teller's thread tells.
void Memory::note(News news) {
  news_.fetch_or(1U << static_cast<unsigned>(news));
  came_.notify();
}

void Memory::run_teller(const std::stop_token& stopping) {
  while (true) {
    came_.wait();
    const std::uint32_t news = news_.exchange(0);
    for (unsigned bit = 0; bit < 32; ++bit)
      if ((news >> bit & 1) != 0) options_.tell(text_of(bit));
    if (stopping.stop_requested()) return;
  }
}

void Memory::lose_jit() {
  if (has_jit_.exchange(false)) note(News::kLostJit);
}

void Memory::begin_dataset() {
  if (options_.mode == Mode::kAuto) {
    const auto available = available_memory();
    if (!available || *available < kDatasetBytes + kMarginBytes) {
      note(News::kLight);
      building_ = Building::kNotWanted;
      return;
    }
  }
  if (options_.ways.huge_pages) dataset_ = randomx_alloc_dataset(RANDOMX_FLAG_LARGE_PAGES);
  if (dataset_ == nullptr) {
    dataset_ = randomx_alloc_dataset(RANDOMX_FLAG_DEFAULT);
    // A third faster where the kernel has large pages to give; nothing is lost where not.
    if (dataset_ != nullptr && options_.ways.huge_pages)
      madvise(randomx_get_dataset_memory(dataset_), items_ * RANDOMX_DATASET_ITEM_SIZE,
              MADV_HUGEPAGE);
  }
  if (dataset_ == nullptr) {
    note(News::kNoMemory);
    building_ = Building::kNotWanted;
    return;
  }
  note(News::kBuilding);
  building_ = Building::kBuilding;
}

bool Memory::build_piece() {
  if (options_.mode == Mode::kLight || is_fast()) return false;
  Building expected = Building::kNotBegun;
  if (building_.compare_exchange_strong(expected, Building::kBeginning)) begin_dataset();
  if (building_ != Building::kBuilding) return false;
  const std::uint64_t first = claimed_.fetch_add(kPieceItems);
  if (first >= items_) {
    claimed_ = items_;  // so that it cannot wrap
    return false;
  }
  const std::uint64_t count = std::min(kPieceItems, items_ - first);
  randomx_init_dataset(dataset_, cache_, first, count);
  const std::uint64_t built = built_.fetch_add(count) + count;
  if (built == items_) is_fast_.store(true, std::memory_order_release);
  note_progress(built, count);
  return true;
}

void Memory::note_progress(std::uint64_t built, std::uint64_t count) {
  if (built == items_) return note(News::kComplete);
  const std::uint64_t tenths = built * kTenths / items_;
  if (tenths != (built - count) * kTenths / items_)
    note(static_cast<News>(static_cast<std::uint64_t>(News::kTenths) + tenths));
}

}  // namespace eventchain::mining::randomx
