#include "mining/lending.h"

namespace eventchain::mining {

const char* to_string(LendingReport::State state) {
  switch (state) {
    case LendingReport::State::kNoWork:
      return "no-work";
    case LendingReport::State::kStopped:
      return "stopped";
    case LendingReport::State::kLends:
      return "lends";
    case LendingReport::State::kNoProcess:
      return "no-process";
    case LendingReport::State::kSilent:
      return "silent";
  }
  return "";
}

void LendingReport::show_no_work() {
  state = State::kNoWork;
  threads = 0;
  lent = 0;
  hash_rate = 0;
  why = wish.pauses ? "no work: there is no template to mine, and it is paused"
                    : "no work: there is no template to mine";
}

}  // namespace eventchain::mining
