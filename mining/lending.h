#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "mining/governor.h"

namespace eventchain::mining {

// What a miner lends at one moment, for people and metrics.
struct LendingReport {
  enum class State : std::uint8_t {
    kNoWork,   // nobody has anything to mine; nothing is measured meanwhile
    kStopped,  // there is work, and `reason` is against it
    kLends,    // and `reason` is why not more
  };
  State state = State::kNoWork;
  LendingReason reason = LendingReason::kMeasuring;
  std::string why;  // as a sentence

  HostShape host;
  unsigned cap_percent = 0;
  OperatorWish wish;
  unsigned threads = 0;  // that may work now
  // Shares of the processors' time, 0..1; as last measured.
  double may_lend = 0;
  double lent = 0;
  double others = 0;
  double stolen = 0;
  double hash_rate = 0;  // per second, over about ten seconds with work
  std::uint64_t hashes = 0;
};
const char* to_string(LendingReport::State state);

// A miner's face towards those who run the host. Thread-safe; nothing here waits for a thread at
// idle priority.
class Lending {
 public:
  virtual ~Lending() = default;
  [[nodiscard]] virtual LendingReport report() const = 0;
  // Holds until it is said otherwise or the process ends.
  virtual void pause(bool wants) = 0;
  // 1..100; the configured cap stays in force.
  virtual void limit(unsigned percent) = 0;
};

}  // namespace eventchain::mining
