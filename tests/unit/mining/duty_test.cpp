#include <doctest/doctest.h>

#include "mining/duty.h"

using namespace eventchain;
using namespace eventchain::mining;
using namespace std::chrono_literals;

namespace {

// Simulates a thread that works in quanta and obeys its budget; returns its share of the time.
double share_of_time(unsigned percent, std::chrono::microseconds quantum) {
  DutyBudget budget(percent);
  chain::Instant now{1h};
  std::chrono::nanoseconds used = 0ns;
  const chain::Instant start = now;
  while (now - start < 10s) {
    now = now + quantum;
    used += quantum;
    if (const auto until = budget.rest_until(now, used)) now = *until;
  }
  return std::chrono::duration<double>(used) / std::chrono::duration<double>(now - start);
}

}  // namespace

TEST_CASE("a thread with the whole processor never rests") {
  DutyBudget budget(100);
  CHECK_FALSE(budget.is_limited());
  chain::Instant now{};
  std::chrono::nanoseconds used = 0ns;
  for (int i = 0; i < 1000; ++i) {
    now = now + 1ms;
    used += 1ms;
    CHECK_FALSE(budget.rest_until(now, used));
  }
}

TEST_CASE("a limited thread gets its percentage, up to one quantum a period") {
  for (const unsigned percent : {1U, 5U, 10U, 25U, 50U, 75U, 99U}) {
    INFO("percent ", percent);
    const double share = share_of_time(percent, 200us);
    const double quantum = 200us / std::chrono::duration<double>(DutyBudget::kPeriod);
    CHECK(share > percent / 100.0 - 2 * quantum);
    CHECK(share < percent / 100.0 + 2 * quantum);
  }
}

TEST_CASE("a thread rests until its period ends and not longer") {
  DutyBudget budget(10);
  CHECK_FALSE(budget.rest_until(chain::Instant{100ms}, 1ms));
  CHECK_FALSE(budget.rest_until(chain::Instant{102ms}, 3ms));
  CHECK(budget.rest_until(chain::Instant{105ms}, 6ms) == chain::Instant{150ms});
  CHECK_FALSE(budget.rest_until(chain::Instant{150ms}, 6ms));
}

TEST_CASE("processor time that others took is not owed later") {
  DutyBudget budget(50);
  CHECK_FALSE(budget.rest_until(chain::Instant{0ms}, 0ms));
  // Ten periods pass in which the thread hardly ran.
  CHECK_FALSE(budget.rest_until(chain::Instant{500ms}, 1ms));
  CHECK(budget.rest_until(chain::Instant{530ms}, 27ms) == chain::Instant{550ms});
}
