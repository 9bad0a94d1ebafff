#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <thread>
#include <vector>

#include "mining/budget.h"

using namespace eventchain;
using namespace eventchain::mining;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

namespace {

constexpr nanoseconds kQuantum = 250us;

struct Used {
  double rate = 0;                  // processors, over the whole time
  nanoseconds most_in_a_second{0};  // of any second
};

// `threads` on a processor each work in quanta and obey the budget for ten seconds; the first
// `starved` of them never run.
Used obey(ProcessorBudget& budget, unsigned threads, unsigned starved = 0) {
  std::vector<chain::Instant> rests_until(threads, chain::Instant{});
  std::deque<std::pair<chain::Instant, nanoseconds>> last_second;
  Used used;
  nanoseconds total{0};
  nanoseconds in_last_second{0};
  const chain::Instant start{1h + 13ms};
  chain::Instant now = start;
  while (now - start < 10s) {
    now = now + kQuantum;
    for (unsigned i = starved; i < threads; ++i) {
      if (now < rests_until[i] + kQuantum) continue;
      total += kQuantum;
      in_last_second += kQuantum;
      last_second.push_back({now, kQuantum});
      if (const auto until = budget.charge(now, kQuantum)) rests_until[i] = *until;
    }
    while (!last_second.empty() && last_second.front().first + 1s <= now) {
      in_last_second -= last_second.front().second;
      last_second.pop_front();
    }
    used.most_in_a_second = std::max(used.most_in_a_second, in_last_second);
  }
  used.rate = static_cast<double>(total.count()) / static_cast<double>((now - start).count());
  return used;
}

}  // namespace

TEST_CASE("a miner with all there is never rests") {
  ProcessorBudget budget;
  CHECK_FALSE(budget.is_limited());
  for (int i = 0; i < 1000; ++i) CHECK_FALSE(budget.charge(chain::Instant{i * 1ms}, 4ms));
  budget.allow(1ms);
  CHECK(budget.is_limited());
  budget.allow(std::nullopt);
  CHECK_FALSE(budget.is_limited());
}

TEST_CASE("threads get their budget together, and no second holds more than 21 of them") {
  for (const unsigned threads : {1U, 2U, 7U}) {
    for (const unsigned percent : {1U, 5U, 24U, 50U, 99U}) {
      INFO("threads ", threads, " percent ", percent);
      ProcessorBudget budget;
      const nanoseconds each = nanoseconds(ProcessorBudget::kPeriod) * percent * threads / 100;
      budget.allow(each);
      const Used used = obey(budget, threads);
      CHECK(used.rate == doctest::Approx(percent * threads / 100.0).epsilon(0.01));
      CHECK(used.most_in_a_second <= 21 * each + threads * kQuantum);
    }
  }
}

TEST_CASE("what one thread cannot use the others do") {
  ProcessorBudget budget;
  budget.allow(ProcessorBudget::kPeriod);  // one processor of two
  CHECK(obey(budget, 2, 1).rate == doctest::Approx(1.0).epsilon(0.01));
}

TEST_CASE("a rest ends with its period") {
  ProcessorBudget budget;
  budget.allow(5ms);
  CHECK_FALSE(budget.charge(chain::Instant{101ms}, 1ms));
  CHECK_FALSE(budget.charge(chain::Instant{103ms}, 3ms));
  CHECK(budget.charge(chain::Instant{105ms}, 1ms) == chain::Instant{150ms});
  CHECK_FALSE(budget.charge(chain::Instant{150ms}, 1ms));
}

TEST_CASE("what went beyond the budget is taken off the next periods") {
  ProcessorBudget budget;
  budget.allow(5ms);
  // A unit of work of 17 ms fills three periods and 2 ms of the fourth.
  CHECK(budget.charge(chain::Instant{17ms}, 17ms) == chain::Instant{150ms});
  CHECK_FALSE(budget.charge(chain::Instant{151ms}, 2ms));
  CHECK(budget.charge(chain::Instant{152ms}, 1ms) == chain::Instant{200ms});
}

TEST_CASE("processor time that others took is not owed later") {
  ProcessorBudget budget;
  budget.allow(25ms);
  CHECK_FALSE(budget.charge(chain::Instant{0ms}, 1ms));
  CHECK_FALSE(budget.charge(chain::Instant{500ms}, 1ms));
  CHECK(budget.charge(chain::Instant{530ms}, 24ms) == chain::Instant{550ms});
}

TEST_CASE("a thread that comes late with an old time charges the present period") {
  ProcessorBudget budget;
  budget.allow(5ms);
  CHECK_FALSE(budget.charge(chain::Instant{101ms}, 3ms));
  CHECK(budget.charge(chain::Instant{99ms}, 2ms).has_value());
  CHECK(budget.charge(chain::Instant{102ms}, 0ms) == chain::Instant{150ms});
}

TEST_CASE("what threads charge at the same time is counted completely") {
  constexpr int kCharges = 20'000;
  ProcessorBudget budget;
  budget.allow(nanoseconds(4 * kCharges));
  std::atomic<int> rests{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < kCharges; ++n)
          if (budget.charge(chain::Instant{1ms}, 1ns)) ++rests;
      });
    }
  }
  CHECK(rests == 1);
}
