#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/sim/scheduler.h"

namespace eventchain::sim {

// A promise of the system that was found broken; ends the run of the seed.
class Violation : public std::runtime_error {
 public:
  Violation(std::string invariant, const std::string& text)
      : std::runtime_error(invariant + ": " + text), invariant_(std::move(invariant)) {}
  [[nodiscard]] const std::string& invariant() const { return invariant_; }

 private:
  std::string invariant_;
};

// What happened, folded into one number as it happens, and on demand printed. Two runs of a seed
// must end with the same number (I18).
class Trace {
 public:
  Trace(const Scheduler& scheduler, bool prints) : scheduler_(scheduler), prints_(prints) {}

  template <class... Numbers>
  void fold(Numbers... numbers) {
    fold_one(static_cast<std::uint64_t>(scheduler_.now().since_start.count()));
    (fold_one(static_cast<std::uint64_t>(numbers)), ...);
  }
  template <class... Args>
  void print(fmt::format_string<Args...> text, Args&&... args) const {
    if (!prints_) return;
    const auto us = scheduler_.now().since_start.count() / 1000;
    fmt::print("{:>5}.{:06} {}\n", us / 1'000'000, us % 1'000'000,
               fmt::format(text, std::forward<Args>(args)...));
    std::fflush(stdout);
  }
  [[nodiscard]] bool prints() const { return prints_; }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }

 private:
  void fold_one(std::uint64_t number) {
    hash_ ^= number + 0x9e3779b97f4a7c15ULL + (hash_ << 6) + (hash_ >> 2);
    hash_ *= 0xff51afd7ed558ccdULL;
    hash_ ^= hash_ >> 32;
  }

  const Scheduler& scheduler_;
  const bool prints_;
  std::uint64_t hash_ = 0;
};

}  // namespace eventchain::sim
