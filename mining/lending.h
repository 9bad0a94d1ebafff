#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "mining/governor.h"
#include "mining/work.h"

namespace eventchain::mining {

// What a miner lends at one moment, for people and metrics.
struct LendingReport {
  enum class State : std::uint8_t {
    kNoWork,   // nobody has anything to mine; nothing is measured meanwhile
    kStopped,  // there is work, and `reason` is against it
    kLends,    // and `reason` is why not more
    // Where a process of its own mines; the process itself is never in these states.
    kNoProcess,  // it is not there
    kSilent,     // it is there, but has said nothing for a while
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
  // Where a process of its own mines and is there: since its last word.
  std::optional<std::chrono::milliseconds> last_word_age = std::nullopt;

  // Whether there is a miner that tells of itself.
  [[nodiscard]] bool is_there() const {
    return state != State::kNoProcess && state != State::kSilent;
  }
  // Whether `reason` says why: it has work, too.
  [[nodiscard]] bool has_reason() const {
    return state == State::kStopped || state == State::kLends;
  }
  // What was measured for the last order stays; what is lent is nothing.
  void show_no_work();
};
inline constexpr std::size_t kStatesOfMiner = 3;  // the first ones, which a miner tells of itself
inline constexpr std::size_t kLendingStates = 5;
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

// Both faces: towards the node, and towards those who run the host.
class LendingMiner : public Miner, public Lending {};

}  // namespace eventchain::mining
