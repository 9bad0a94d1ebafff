// The seeded simulation as a program. Each seed runs alone in one thread; several seeds run at once
// in several.

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/sim/planting.h"
#include "tests/sim/simulation.h"

namespace {

using eventchain::sim::SimulationOptions;
using eventchain::sim::SimulationTotals;

thread_local std::uint64_t seed_in_hand = 0;
double chaos_seconds = 20;
std::string mistake;  // planted; none if empty
bool members_stay = false;

std::string replay_command(std::uint64_t seed) {
  const std::string plants = mistake.empty() ? "" : " --plant " + mistake;
  return fmt::format("sim --seed {} --seconds {} --trace{}{}", seed, chaos_seconds, plants,
                     members_stay ? " --members-stay" : "");
}

// A broken EC_ASSERT aborts on the thread that ran the seed.
void say_seed(int) {
  std::fprintf(stderr, "seed %llu aborted\nreplay: sim --seed %llu --seconds %g --trace%s%s%s\n",
               static_cast<unsigned long long>(seed_in_hand),
               static_cast<unsigned long long>(seed_in_hand), chaos_seconds,
               mistake.empty() ? "" : " --plant ", mistake.c_str(),
               members_stay ? " --members-stay" : "");
  std::_Exit(1);
}

class Run {
 public:
  Run(std::uint64_t first, std::uint64_t last, bool prints)
      : next_(first), last_(last), prints_(prints) {}

  void work() {
    while (true) {
      const std::uint64_t seed = next_++;
      if (seed > last_) return;
      one(seed);
    }
  }
  [[nodiscard]] std::uint64_t failures() const { return failures_; }

  void print_totals() const {
    const double cpu = static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
    const double hours = std::chrono::duration<double, std::ratio<3600>>(sum_.virtual_time).count();
    fmt::print(
        "seeds={} failed={} virtual_hours={:.2f} cpu_s={:.1f} cpu_ms_per_seed={:.1f} "
        "speedup={:.0f}\n",
        seeds_, failures_, hours, cpu, 1000 * cpu / static_cast<double>(std::max(seeds_, 1UL)),
        hours * 3600 / cpu);
    fmt::print(
        "strikes={} elections={} commits={} messages={} blocks={} eased={} events={} "
        "rejections={} requests={} promises={} reads={} revived={} orders_asked={} "
        "orders_relayed={} orders_in_blocks={} levels_raised={} light_members={} "
        "light_headers={} light_shares={} nonces={} lies={} patience_used={:.3f} by_seed={}\n",
        sum_.strikes, sum_.elections, sum_.commits, sum_.messages, sum_.blocks, sum_.eased,
        sum_.events, sum_.rejections, sum_.requests, sum_.promises, sum_.reads, sum_.revived,
        sum_.asked, sum_.relayed, sum_.orders, sum_.levels, sum_.lights, sum_.light_headers,
        sum_.light_shares, sum_.nonces, sum_.lies, static_cast<double>(sum_.waited_permille) / 1000,
        waited_most_);
  }

 private:
  void one(std::uint64_t seed) {
    seed_in_hand = seed;
    SimulationOptions options;
    options.seed = seed;
    options.chaos = std::chrono::duration_cast<eventchain::sim::Span>(
        std::chrono::duration<double>(chaos_seconds));
    options.prints = prints_;
    options.members_change = !members_stay;
    try {
      const SimulationTotals totals = simulate(options);
      const std::lock_guard lock(mutex_);
      add(totals);
      if (totals.waited_permille > sum_.waited_permille) {
        sum_.waited_permille = totals.waited_permille;
        waited_most_ = seed;
      }
      if (last_ == 0 || prints_) fmt::print("trace {:016x}\n", totals.trace_hash);
    } catch (const std::exception& broken) {
      const std::lock_guard lock(mutex_);
      ++failures_;
      fmt::print("seed {} broke {}\nreplay: {}\n", seed, broken.what(), replay_command(seed));
      std::fflush(stdout);
    }
    const std::lock_guard lock(mutex_);
    ++seeds_;
  }

  void add(const SimulationTotals& one) {
    sum_.virtual_time += one.virtual_time;
    sum_.elections += one.elections;
    sum_.commits += one.commits;
    sum_.blocks += one.blocks;
    sum_.eased += one.eased;
    sum_.events += one.events;
    sum_.rejections += one.rejections;
    sum_.requests += one.requests;
    sum_.promises += one.promises;
    sum_.reads += one.reads;
    sum_.revived += one.revived;
    sum_.strikes += one.strikes;
    sum_.messages += one.messages;
    sum_.asked += one.asked;
    sum_.relayed += one.relayed;
    sum_.orders += one.orders;
    sum_.levels += one.levels;
    sum_.lights += one.lights;
    sum_.light_headers += one.light_headers;
    sum_.light_shares += one.light_shares;
    sum_.nonces += one.nonces;
    sum_.lies += one.lies;
  }

  std::atomic<std::uint64_t> next_;
  const std::uint64_t last_;
  const bool prints_;
  std::mutex mutex_;
  // guarded by mutex_
  std::uint64_t seeds_ = 0;
  std::uint64_t failures_ = 0;
  SimulationTotals sum_;
  std::uint64_t waited_most_ = 0;  // the seed that did
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Whole clusters in virtual time under faults, one for each seed");
  std::uint64_t seed = 1;
  std::string range;
  unsigned jobs = 1;
  bool prints = false;
  app.add_option("--seed", seed, "run this seed");
  app.add_option("--seeds", range, "run these seeds, as FIRST..LAST");
  app.add_option("--jobs", jobs, "seeds at once")->check(CLI::Range(1, 256));
  app.add_option("--seconds", chaos_seconds, "virtual seconds of chaos")
      ->check(CLI::Range(0.1, 1e6));
  app.add_flag("--trace", prints, "print what happens");
  app.add_flag("--members-stay", members_stay, "nobody joins or leaves, in any seed");
  app.add_option("--plant", mistake, "switch on a known mistake; builds of the preset 'planted'");
  CLI11_PARSE(app, argc, argv);

  try {
    if (!mistake.empty()) eventchain::sim::plant(mistake);
  } catch (const std::invalid_argument& refused) {
    fmt::print(stderr, "--plant: {}\n", refused.what());
    return 2;
  }
  std::uint64_t first = seed;
  std::uint64_t last = seed;
  if (!range.empty()) {
    unsigned long long from = 0;
    unsigned long long to = 0;
    if (std::sscanf(range.c_str(), "%llu..%llu", &from, &to) != 2 || from > to) {
      fmt::print(stderr, "--seeds {}: write FIRST..LAST, for example 1..2000\n", range);
      return 2;
    }
    first = from;
    last = to;
  }
  std::signal(SIGABRT, say_seed);
  Run run(first, last, prints);
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < jobs; ++i) threads.emplace_back([&run] { run.work(); });
  run.work();
  for (auto& thread : threads) thread.join();
  run.print_totals();
  return run.failures() == 0 ? 0 : 1;
}
