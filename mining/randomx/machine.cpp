#include "mining/randomx/machine.h"

#include <randomx.h>

#include <cfenv>
#include <exception>
#include <utility>

#include "chain/result.h"

namespace eventchain::mining::randomx {
namespace {

static_assert(chain::Hash::kSize == RANDOMX_HASH_SIZE);

randomx_vm* try_to_make(const Memory& memory, randomx_flags flags) {
  randomx_dataset* const dataset =
      (flags & RANDOMX_FLAG_FULL_MEM) != 0 ? memory.dataset() : nullptr;
  try {
    return randomx_create_vm(flags, memory.cache(), dataset);
  } catch (const std::exception&) {
    return nullptr;
  }
}

}  // namespace

Machine::Machine(std::shared_ptr<Memory> memory, Reads reads)
    : memory_(std::move(memory)), reads_(reads) {
  make();
}

Machine::~Machine() {
  if (vm_ != nullptr) randomx_destroy_vm(vm_);
}

void Machine::make() {
  if (vm_ != nullptr) randomx_destroy_vm(std::exchange(vm_, nullptr));
  const randomx_flags found = randomx_get_flags();
  is_fast_ = reads_ == Reads::kDatasetIfThere && memory_->is_fast();
  randomx_flags flags = RANDOMX_FLAG_DEFAULT;
  if (is_fast_) flags |= RANDOMX_FLAG_FULL_MEM;
  if (memory_->ways().hard_aes) flags |= found & RANDOMX_FLAG_HARD_AES;
  // SECURE: no page is ever writable and executable at once; it costs nothing that can be measured.
  const randomx_flags compiling = RANDOMX_FLAG_JIT | RANDOMX_FLAG_SECURE;
  has_jit_ = memory_->has_jit();
  if (memory_->ways().huge_pages) {
    if (has_jit_) vm_ = try_to_make(*memory_, flags | compiling | RANDOMX_FLAG_LARGE_PAGES);
    if (!has_jit_) vm_ = try_to_make(*memory_, flags | RANDOMX_FLAG_LARGE_PAGES);
  }
  if (vm_ == nullptr && has_jit_) vm_ = try_to_make(*memory_, flags | compiling);
  if (vm_ == nullptr) {
    if (has_jit_) memory_->lose_jit();
    has_jit_ = false;
    vm_ = try_to_make(*memory_, flags);
  }
  EC_ASSERT(vm_ != nullptr, "a machine needs 2 MiB of memory, as much as many an event");
}

void Machine::interpret() {
  EC_ASSERT(has_jit_, "interpreting asks nothing of the system that it could refuse");
  memory_->lose_jit();
  make();
}

chain::Hash Machine::digest(chain::ByteView input) {
  chain::Hash hash;
  // The library puts the rounding back where it returns, not where it throws.
  std::fenv_t rounding;
  std::fegetenv(&rounding);
  try {
    randomx_calculate_hash(vm_, input.data(), input.size(), hash.octets.data());
  } catch (const std::exception&) {
    std::fesetenv(&rounding);
    interpret();
    randomx_calculate_hash(vm_, input.data(), input.size(), hash.octets.data());
  }
  return hash;
}

void Machine::begin(chain::ByteView first) {
  begun_ = first;
  randomx_calculate_hash_first(vm_, first.data(), first.size());
}

chain::Hash Machine::next(chain::ByteView following) {
  chain::Hash hash;
  try {
    randomx_calculate_hash_next(vm_, following.data(), following.size(), hash.octets.data());
  } catch (const std::exception&) {
    interpret();
    randomx_calculate_hash_first(vm_, begun_.data(), begun_.size());
    randomx_calculate_hash_next(vm_, following.data(), following.size(), hash.octets.data());
  }
  begun_ = following;
  return hash;
}

}  // namespace eventchain::mining::randomx
