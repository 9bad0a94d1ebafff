#include <doctest/doctest.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <memory>

#include "crash_vfs.h"
#include "store/memory_store.h"
#include "store/sqlite/sqlite_store.h"
#include "store_fixture.h"

// Faults F1-F4, F6 and F7 at every operation of the disk: what is there afterwards is the state
// between two turns (invariant I12), and no turn whose commit() returned is missing.
namespace eventchain::store::testing {

namespace {

using consensus::LogIndex;
using WorkTurn = std::function<void(Store&)>;

// Small enough that the workload checkpoints several times.
StoreOptions options_on(const CrashDisk& disk) {
  StoreOptions options;
  options.vfs = disk.name();
  options.cache_kib = 512;
  options.wal_bytes_max = 96 * 1024;
  return options;
}

struct Workload {
  std::vector<WorkTurn> turns;
  std::vector<chain::HeldEvent> events;
  std::vector<std::string> states;  // states[n]: after n turns

  Workload(std::uint64_t seed, std::size_t size);
};

consensus::Entry entry(std::uint64_t term, std::size_t bytes) {
  return {consensus::Term{term}, consensus::EntryKind::kCommand, std::string(bytes, 'e')};
}

consensus::Snapshot snapshot(std::uint64_t index, std::uint64_t term) {
  consensus::Snapshot made;
  made.meta = {LogIndex{index}, consensus::Term{term}, {{consensus::ServerId{1}}}, LogIndex{1}};
  made.bytes = "state at " + std::to_string(index);
  return made;
}

Workload::Workload(std::uint64_t seed, std::size_t size) {
  chain::Rng rng(seed);
  BlockMaker maker(small_genesis());
  std::vector<chain::HeldEvent> pending;
  std::uint64_t log_end = 1;
  for (std::uint64_t step = 1; step <= size; ++step) {
    std::vector<chain::HeldEvent> arriving;
    for (std::uint64_t i = rng.below(5); i > 0; --i)
      arriving.push_back(event_of(100 * step + i, rng.below(3), 0, rng.below(2'000)));
    events.insert(events.end(), arriving.begin(), arriving.end());
    pending.insert(pending.end(), arriving.begin(), arriving.end());

    const std::uint64_t from = log_end > 1 && rng.chance(1, 4) ? log_end - 1 : log_end;
    const auto entries = std::vector{entry(step, rng.below(400)), entry(step, 10)};
    log_end = from + entries.size();
    const bool has_snapshot = rng.chance(1, 5);
    std::optional<BlockApplication> block;
    if (!pending.empty() && rng.chance(1, 2)) {
      std::vector<Refused> refused;
      if (pending.size() > 2) {
        refused.push_back({pending.back()});
        pending.pop_back();
      }
      block = maker.next(pending, refused, LogIndex{step});
      pending.clear();
    }
    turns.push_back([=, end = log_end](Store& store) {
      store.turns().begin();
      for (const chain::HeldEvent& event : arriving) store.chain().put_event(event);
      store.raft().save_hard_state({consensus::Term{step}, consensus::ServerId{step % 3}});
      store.raft().append(LogIndex{from}, entries);
      if (has_snapshot) store.raft().save_snapshot(snapshot(end - 1, step), 1);
      if (block) {
        store.chain().put_template(template_of(block->block));
        store.chain().apply_block(*block);
      } else {
        store.chain().set_applied(LogIndex{step});
      }
      store.turns().commit();
    });
  }
  MemoryStore model(small_genesis());
  states.push_back(describe(model, events));
  for (const WorkTurn& work : turns) {
    work(model);
    states.push_back(describe(model, events));
  }
}

struct Counts {
  std::uint64_t runs = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t in_flight_kept = 0;  // durable although commit() had not returned
};

// The number of turns whose commit() returned before the fault.
std::size_t run_until_fault(const Workload& workload, CrashDisk& disk) {
  std::size_t acknowledged = 0;
  auto store = open_store("chain.db", small_genesis(), small_disk(), options_on(disk));
  if (!store) {
    disk.kill();
    return 0;
  }
  try {
    (*store)->chain().recover();
    for (const WorkTurn& work : workload.turns) {
      work(**store);
      ++acknowledged;
    }
  } catch (const StoreFailure&) {
  }
  // The process ends here: what closing the file would write does not count.
  disk.kill();
  return acknowledged;
}

void check_integrity(const CrashDisk& disk) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open_v2("chain.db", &database, SQLITE_OPEN_READWRITE, disk.name().c_str()) ==
          SQLITE_OK);
  std::string answer;
  const auto note = [](void* into, int, char** columns, char**) {
    *static_cast<std::string*>(into) += columns[0];
    return 0;
  };
  const int code = sqlite3_exec(database, "PRAGMA integrity_check", note, &answer, nullptr);
  sqlite3_close(database);
  REQUIRE(code == SQLITE_OK);
  REQUIRE(answer == "ok");
}

// One run with a fault at one operation. False when the workload ended before it.
bool crash_and_recover(const Workload& workload, Fault fault, std::uint64_t operation,
                       std::uint64_t seed, Counts& counts) {
  INFO("seed " << seed << ", fault " << static_cast<int>(fault) << ", operation " << operation);
  chain::Rng rng = chain::Rng(seed).fork(std::to_string(operation));
  CrashDisk disk;
  disk.arm(operation, fault);
  const std::size_t acknowledged = run_until_fault(workload, disk);
  if (!disk.has_struck()) return false;
  disk.crash(rng);
  ++counts.runs;
  counts.acknowledged += acknowledged;

  auto store = open_store("chain.db", small_genesis(), small_disk(), options_on(disk));
  REQUIRE_MESSAGE(store, store.error().message);
  const std::string found = describe(**store, workload.events);
  std::size_t reached = acknowledged;
  if (found != workload.states[acknowledged]) {
    REQUIRE(acknowledged < workload.turns.size());
    REQUIRE(found == workload.states[acknowledged + 1]);
    ++reached;
    ++counts.in_flight_kept;
  }
  // It is not only readable: the rest of the work can be done on it.
  if (rng.chance(1, 8)) {
    for (std::size_t i = reached; i < workload.turns.size(); ++i) workload.turns[i](**store);
    REQUIRE(describe(**store, workload.events) == workload.states.back());
  }
  store->reset();
  check_integrity(disk);
  return true;
}

std::uint64_t rounds() {
  const char* text = std::getenv("EVENTCHAIN_CRASH_ROUNDS");
  return text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
}

void at_every_operation(Fault fault, std::size_t turns) {
  Counts counts;
  for (std::uint64_t round = 0; round < rounds(); ++round) {
    const std::uint64_t seed = 1'000 + round;
    const Workload workload(seed, turns + 4 * (round % 8));
    for (std::uint64_t operation = 1;; ++operation)
      if (!crash_and_recover(workload, fault, operation, seed, counts)) break;
  }
  MESSAGE(counts.runs << " crashes, " << counts.acknowledged
                      << " acknowledged turns, none lost; in flight and kept: "
                      << counts.in_flight_kept);
  CHECK(counts.runs > 100);
  CHECK(counts.acknowledged > 100);
}

}  // namespace

TEST_CASE("power may fail at any write or sync: no acknowledged turn is lost, none is halved") {
  at_every_operation(Fault::kPowerCut, 8);
}

TEST_CASE(
    "a failing write or sync ends the process; the next start finds every acknowledged turn") {
  at_every_operation(Fault::kIoError, 8);
}

TEST_CASE("a full disk ends the process; the next start finds every acknowledged turn") {
  at_every_operation(Fault::kFull, 8);
}

TEST_CASE("the workload of the crash tests checkpoints while it runs") {
  const Workload workload(1'000, 8);
  CrashDisk disk;
  auto store = open_store("chain.db", small_genesis(), small_disk(), options_on(disk));
  REQUIRE_MESSAGE(store, store.error().message);
  (*store)->chain().recover();
  for (const WorkTurn& work : workload.turns) work(**store);
  CHECK((*store)->checkpoints() > 0);
}

TEST_CASE("a turn without writes does not touch the disk") {
  CrashDisk disk;
  auto store = open_store("chain.db", small_genesis(), small_disk(), options_on(disk));
  REQUIRE_MESSAGE(store, store.error().message);
  (*store)->chain().recover();
  const std::uint64_t before = disk.operations();
  turn(**store, [] {});
  turn(**store, [&] { CHECK((*store)->chain().find_event(event_of(1, 1).facts.key).empty()); });
  CHECK(disk.operations() == before);
  turn(**store, [&] { (*store)->chain().put_event(event_of(1, 1)); });
  CHECK(disk.operations() > before);
}

TEST_CASE("a turn with writes is one sync") {
  CrashDisk disk;
  StoreOptions roomy;
  roomy.vfs = disk.name();
  auto store = open_store("chain.db", small_genesis(), small_disk(), roomy);
  REQUIRE_MESSAGE(store, store.error().message);
  (*store)->chain().recover();
  turn(**store, [&] { (*store)->chain().put_event(event_of(1, 1)); });
  const std::uint64_t before = disk.syncs();
  turn(**store, [&] {
    (*store)->chain().put_event(event_of(2, 1));
    (*store)->raft().append(LogIndex{1}, {entry(1, 10)});
    (*store)->raft().save_hard_state({consensus::Term{1}, consensus::ServerId{1}});
  });
  CHECK(disk.syncs() == before + 1);
}

}  // namespace eventchain::store::testing
