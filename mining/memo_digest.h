#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "chain/work.h"

namespace eventchain::mining {

// A digest that takes long, with a memory of what was computed: a share is looked at when it comes,
// when a seal has it, and each time that seal is checked again.
//
// Threading: any thread. What two threads ask for at the same time may be computed twice.
// Limits: the newest kRemembered digests, about 16 MiB: 8,192 seals of 16 shares, 512 of 256. A
// message of 1 MiB of headers has 87,000 shares at most; what is forgotten is computed once more.
class MemoDigest final : public chain::ShareDigest {
 public:
  static constexpr std::size_t kRemembered = std::size_t{1} << 17;

  // `computing` outlives it.
  explicit MemoDigest(const chain::ShareDigest& computing, std::size_t remembered = kRemembered)
      : computing_(computing), remembered_(remembered) {}

  [[nodiscard]] chain::WorkFunction function() const override { return computing_.function(); }
  [[nodiscard]] chain::Hash digest(const chain::SharePreimage& preimage) const override;
  [[nodiscard]] std::vector<chain::Hash> digests(
      std::span<const chain::SharePreimage> preimages) const override;
  // What it says replaces what digest() has said.
  [[nodiscard]] std::optional<chain::Hash> again(
      const chain::SharePreimage& preimage) const override;

  // Whether digest() would answer at once.
  [[nodiscard]] bool knows(const chain::SharePreimage& preimage) const;

 private:
  // A preimage is known by its SHA-256: a third of the memory.
  using Name = chain::Hash;
  struct Known {
    chain::Hash hash;
    bool is_of_second_look = false;
  };
  [[nodiscard]] std::optional<Known> find(const Name& name) const;
  void keep(const Name& name, const Known& known) const;

  // constant after construction
  const chain::ShareDigest& computing_;
  const std::size_t remembered_;

  // guarded by mutex_; no digest is computed under it
  mutable std::mutex mutex_;
  mutable std::unordered_map<Name, Known, chain::FixedBytesHash> known_;
  mutable std::deque<Name> in_order_;  // the oldest first
};

}  // namespace eventchain::mining
