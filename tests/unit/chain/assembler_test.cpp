#include "chain/assembler.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "chain_fixture.h"

using namespace eventchain::chain;
using namespace eventchain::chain::testing;
using namespace std::chrono_literals;

namespace {

// What the assembler shall decide, said as plainly as possible: lists searched from end to end.
struct NaiveAssembler {
  const Genesis& genesis;
  MemoryView view;  // a copy: placing into it is looking ahead
  std::vector<PendingEvent> pool;
  SameContent same_content;
  Instant now;

  std::vector<EventFacts> entries;
  std::vector<Rejection> rejections;
  std::vector<Commitment> redundant;

  void run() {
    std::size_t seen = 0;
    while (true) {
      // Whoever waited longest goes first; only then comes the next arrival.
      std::size_t next = 0;
      while (next < seen && !can_place(pool[next].facts)) ++next;
      if (next == pool.size()) break;
      if (next == seen && !can_place(pool[seen].facts)) {
        ++seen;
        continue;
      }
      if (!fits(pool[next].facts)) break;
      entries.push_back(pool[next].facts);
      view.place(pool[next].facts);
      if (next == seen) ++seen;
    }
    for (std::size_t i = 0; i < seen; ++i) judge(pool[i]);
  }

 private:
  bool can_place(const EventFacts& facts) {
    return !view.is_placed(facts.key) &&
           (!facts.expected || *facts.expected == view.stream_version(facts.stream));
  }
  bool fits(const EventFacts& facts) const {
    std::size_t bytes = facts.body_bytes;
    for (const EventFacts& entry : entries) bytes += entry.body_bytes;
    return entries.size() < genesis.block_events_max && bytes <= genesis.block_bytes_max;
  }
  void judge(const PendingEvent& event) {
    const EventFacts& facts = event.facts;
    const StreamVersion version = view.stream_version(facts.stream);
    if (const auto holder = view.facts(facts.key)) {
      if (holder->commitment == facts.commitment) return;
      if (same_content(facts, *holder))
        redundant.push_back(facts.commitment);
      else
        rejections.push_back(
            {facts.key, facts.commitment, RejectionReason::kKeyTaken, kEmptyStream});
    } else if (facts.expected && *facts.expected < version) {
      rejections.push_back(
          {facts.key, facts.commitment, RejectionReason::kVersionConflict, version});
    } else if (facts.expected && *facts.expected > version && now - event.since > 30s) {
      rejections.push_back(
          {facts.key, facts.commitment, RejectionReason::kExpectationExpired, version});
    }
  }
};

// Fills a pool so that everything happens: few streams, few keys, content 0 or 1 under each.
struct RandomWorld : Growing {
  explicit RandomWorld(std::uint64_t seed) : Growing(random_genesis(seed)), rng(seed) {
    same_content = [this](const EventFacts& a, const EventFacts& b) {
      return content.at(a.commitment) == content.at(b.commitment);
    };
  }

  static Genesis random_genesis(std::uint64_t seed) {
    Rng rng = Rng(seed).fork("genesis");
    Genesis genesis = small_genesis();
    genesis.block_events_max = static_cast<std::uint32_t>(rng.between(1, 40));
    genesis.block_bytes_max = static_cast<std::uint32_t>(rng.between(1'000, 6'000));
    return genesis;
  }

  void receive(std::uint64_t events) {
    for (; events > 0; --events) {
      const std::uint64_t stream = rng.below(4);
      EventFacts facts = facts_of(next, stream);
      if (rng.chance(1, 2)) facts.key = key_of(1'000'000 + rng.below(60));
      if (rng.chance(1, 2)) {
        const std::int64_t stands = view.stream_version(facts.stream).value;
        facts.expected =
            StreamVersion{std::max<std::int64_t>(-1, rng.between(stands - 2, stands + 6))};
      }
      facts.body_bytes = static_cast<std::uint32_t>(rng.below(1'000));
      content[facts.commitment] = rng.below(2);
      pool.add(facts, next, now);
      ++next;
    }
  }

  Rng rng;
  Instant now{100s};
  std::uint64_t next = 1;
  std::map<Commitment, std::uint64_t> content;
};

void check_like_naive(RandomWorld& world, const Assembly& assembly) {
  NaiveAssembler naive{world.state.genesis, world.view, {}, world.same_content,
                       world.now,           {},         {}, {}};
  for (const PendingEvent& event : world.pool.in_order()) naive.pool.push_back(event);
  naive.run();
  REQUIRE(assembly.facts.entries == naive.entries);
  REQUIRE(assembly.redundant == naive.redundant);
  std::vector<AnnexItem> annex(naive.rejections.begin(), naive.rejections.end());
  REQUIRE(assembly.made.content.annex == annex);
}

struct Mutation {
  std::vector<Rule> fitting;
  std::function<void(Assembly&, Rng&)> apply;
};

// One field of the assembly each. The facts are not the leader's to choose and stay as they are.
std::vector<Mutation> mutations_of(const Assembly& assembly) {
  std::vector<Mutation> result = {
      {{Rule::kWrongChain}, [](Assembly& a, Rng&) { a.made.header.chain.octets[9] ^= 4; }},
      {{Rule::kWrongParent}, [](Assembly& a, Rng&) { a.made.header.parent.octets[9] ^= 4; }},
      {{Rule::kWrongHeight}, [](Assembly& a, Rng&) { ++a.made.header.height.value; }},
      {{Rule::kTimeBeforeParent}, [](Assembly& a, Rng&) { --a.made.header.started.value; }},
      {{Rule::kTimeBeforeStart},
       [](Assembly& a, Rng&) { a.made.header.time.value = a.made.header.started.value - 1; }},
      {{Rule::kWrongTarget}, [](Assembly& a, Rng&) { --a.made.header.share_target.bits; }},
      {{Rule::kWrongShareCount}, [](Assembly& a, Rng&) { ++a.made.header.share_count; }},
      {{Rule::kWrongMemberSet}, [](Assembly& a, Rng&) { a.made.header.member_set.octets[1] ^= 4; }},
      {{Rule::kWrongLogSize, Rule::kTooManyEvents},
       [](Assembly& a, Rng&) { ++a.made.header.log_size; }},
      {{Rule::kWrongLogRoot}, [](Assembly& a, Rng&) { a.made.header.log_root.octets[1] ^= 4; }},
      {{Rule::kWrongHistoryRoot},
       [](Assembly& a, Rng&) { a.made.header.history_root.octets[1] ^= 4; }},
      {{Rule::kWrongAnnexRoot}, [](Assembly& a, Rng&) { a.made.header.annex_root.octets[1] ^= 4; }},
  };
  if (!assembly.made.content.entries.empty()) {
    const auto any = [](Assembly& a, Rng& rng) -> EntryRef& {
      return a.made.content.entries[rng.below(a.made.content.entries.size())];
    };
    result.push_back({{Rule::kKeyMismatch, Rule::kDuplicateKey, Rule::kVersionExpectation},
                      [any](Assembly& a, Rng& rng) { any(a, rng).key.octets[1] ^= 4; }});
    result.push_back({{Rule::kKeyMismatch},
                      [any](Assembly& a, Rng& rng) { any(a, rng).commitment.octets[1] ^= 4; }});
    result.push_back({{Rule::kWrongLogSize}, [](Assembly& a, Rng&) {
                        a.made.content.entries.pop_back();
                        a.facts.entries.pop_back();
                      }});
  }
  if (!assembly.made.content.annex.empty()) {
    // The annex root is made right again, or it alone would always be the answer.
    const auto change = [](std::function<void(Rejection&)> apply) {
      return [apply](Assembly& a, Rng& rng) {
        auto& annex = a.made.content.annex;
        apply(std::get<Rejection>(annex[rng.below(annex.size())]));
        a.made.header.annex_root = annex_root(annex);
      };
    };
    result.push_back({{Rule::kKeyMismatch}, change([](Rejection& r) { r.key.octets[1] ^= 4; })});
    result.push_back(
        {{Rule::kKeyMismatch}, change([](Rejection& r) { r.commitment.octets[1] ^= 4; })});
    result.push_back(
        {{Rule::kUnjustifiedRejection}, change([](Rejection& r) { ++r.stream_version.value; })});
    result.push_back({{Rule::kUnjustifiedRejection}, change([](Rejection& r) {
                        r.reason = static_cast<RejectionReason>(static_cast<int>(r.reason) % 3 + 1);
                      })});
  }
  return result;
}

void check_mutations(RandomWorld& world, const Assembly& assembly) {
  const std::vector<Mutation> mutations = mutations_of(assembly);
  for (std::size_t i = 0; i < mutations.size(); ++i) {
    Assembly mutated = assembly;
    mutations[i].apply(mutated, world.rng);
    const Rule rule =
        check_template(world.state, world.view, mutated.made, mutated.facts, nullptr).rule;
    const auto& fitting = mutations[i].fitting;
    INFO("mutation ", i, ": ", to_string(rule));
    REQUIRE(std::find(fitting.begin(), fitting.end(), rule) != fitting.end());
  }
}

}  // namespace

TEST_CASE("over chains of random blocks the assembler decides as the naive one, and rules agree") {
  std::uint64_t placed = 0;
  std::uint64_t reasons[4] = {};
  std::uint64_t redundant = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    INFO("seed ", seed);
    RandomWorld world(seed);
    LogTree log;
    U256 work;
    for (std::uint64_t height = 1; height <= 15; ++height) {
      world.receive(world.rng.below(60));
      const Assembly assembly = world.assemble_next(world.now);
      check_like_naive(world, assembly);
      check_mutations(world, assembly);
      const SealedHeader sealed = world.commit(assembly);

      for (const EventFacts& facts : assembly.facts.entries) log.append(log_leaf(facts.commitment));
      work = work + block_work(sealed.header);
      REQUIRE(world.state.tip == block_id(sealed));
      REQUIRE(world.state.height() == Height{height});
      REQUIRE(world.state.log.root() == log.root());
      REQUIRE(world.state.history.blocks() == height + 1);
      REQUIRE(world.state.history.total_work() == work);
      placed += assembly.facts.entries.size();
      redundant += assembly.redundant.size();
      for (const AnnexItem& item : assembly.made.content.annex)
        ++reasons[static_cast<int>(std::get<Rejection>(item).reason)];
      world.now = world.now + std::chrono::seconds(world.rng.below(20));
    }
    // Without anything new all is settled once the last expectation has expired.
    for (int i = 0; world.pool.size() > 0; ++i) {
      REQUIRE(i < 2'000);
      world.now = world.now + 31s;
      (void)world.commit(world.assemble_next(world.now));
    }
    REQUIRE(world.view.placed.size() == world.state.log.size());
  }
  // The world is rich enough to show every outcome.
  CHECK(placed > 10'000);
  CHECK(redundant > 100);
  CHECK(reasons[1] > 100);
  CHECK(reasons[2] > 100);
  CHECK(reasons[3] > 100);
}

TEST_CASE("the same pool, state and times give the same bytes") {
  RandomWorld world(7);
  world.receive(60);
  const Assembly once = world.assemble_next(world.now);
  const Assembly again = world.assemble_next(world.now);
  CHECK(encode_header(once.made.header) == encode_header(again.made.header));
  CHECK(encode_content(once.made.content) == encode_content(again.made.content));
}

TEST_CASE("events that arrive in reverse of their expectations are all placed in one block") {
  Growing chain(small_genesis());
  for (std::uint64_t i = 0; i < 20; ++i)
    chain.pool.add(facts_of(i, 1, 18 - static_cast<std::int64_t>(i)), i, {});
  const Assembly assembly = chain.assemble_next();
  REQUIRE(assembly.facts.entries.size() == 20);
  CHECK(assembly.facts.entries.front() == facts_of(19, 1, -1));
  CHECK(assembly.facts.entries.back() == facts_of(0, 1, 18));
}

TEST_CASE("of two events that expect the same version the first to arrive wins") {
  Growing chain(small_genesis());
  chain.pool.add(facts_of(1, 1, 0), 1, {});
  chain.pool.add(facts_of(2, 1, 0), 2, {});
  chain.pool.add(facts_of(3, 1), 3, {});
  const Assembly assembly = chain.assemble_next();
  CHECK(assembly.facts.entries == std::vector<EventFacts>{facts_of(3, 1), facts_of(1, 1, 0)});
  CHECK(assembly.made.content.annex ==
        std::vector<AnnexItem>{Rejection{key_of(2), commitment_of(2),
                                         RejectionReason::kVersionConflict, StreamVersion{1}}});
}

TEST_CASE("an expectation waits its time to the last nanosecond") {
  Growing chain(small_genesis());
  chain.pool.add(facts_of(1, 1, 5), 1, Instant{10s});
  CHECK(chain.assemble_next(Instant{40s}).made.content.annex.empty());
  const Assembly late = chain.assemble_next(Instant{40s + 1ns});
  REQUIRE(late.made.content.annex.size() == 1);
  CHECK(std::get<Rejection>(late.made.content.annex[0]).reason ==
        RejectionReason::kExpectationExpired);
}

TEST_CASE("a large event that no longer fits opens the next block; no smaller one overtakes it") {
  Growing chain(small_genesis());
  EventFacts large = facts_of(100, 1);
  large.body_bytes = 1'000;
  for (std::uint64_t i = 0; i < 95; ++i) chain.pool.add(facts_of(i, 1), i, {});
  chain.state.genesis.block_events_max = 200;
  chain.pool.add(large, 100, {});
  chain.pool.add(facts_of(101, 1), 101, {});
  const Assembly first = chain.assemble_next();
  CHECK(first.facts.entries.size() == 95);
  (void)chain.commit(first);
  CHECK(chain.assemble_next().facts.entries == std::vector<EventFacts>{large, facts_of(101, 1)});
}

TEST_CASE("rejections beyond their number wait for the next block, in order of arrival") {
  Growing chain(small_genesis());
  chain.pool.add(facts_of(0, 1), 0, {});
  (void)chain.commit(chain.assemble_next());
  for (std::uint64_t i = 1; i <= kRejectionsMax + 10; ++i)
    chain.pool.add(facts_of(i, 1, -1), i, {});
  chain.pool.add(facts_of(9'999, 1, 0), 9'999, {});
  const Assembly first = chain.assemble_next();
  CHECK(first.made.content.annex.size() == kRejectionsMax);
  CHECK(first.facts.entries.size() == 1);  // placing goes on behind them
  (void)chain.commit(first);
  CHECK(chain.pool.size() == 10);
  CHECK(chain.assemble_next().made.content.annex.size() == 10);
}

TEST_CASE("a key whose placed variant is gone cannot be shown to be the same and is taken") {
  Growing chain(small_genesis());
  chain.same_content = [](const EventFacts&, const EventFacts&) { return true; };
  chain.pool.add(facts_of(1, 1), 1, {});
  (void)chain.commit(chain.assemble_next());
  EventFacts variant = facts_of(2, 1);
  variant.key = key_of(1);
  chain.pool.add(variant, 2, {});
  CHECK(chain.assemble_next().redundant == std::vector<Commitment>{variant.commitment});

  const UnixMillis sealed_at = chain.state.tip_header.seal.sealed_at;
  const Assembly erased =
      assemble(chain.state, chain.view, chain.pool, chain.same_content,
               [](const EventKey&) { return std::nullopt; }, sealed_at, sealed_at, {}, {});
  CHECK(erased.redundant.empty());
  REQUIRE(erased.made.content.annex.size() == 1);
  CHECK(std::get<Rejection>(erased.made.content.annex[0]).reason == RejectionReason::kKeyTaken);
}

TEST_CASE("a pool far larger than a block is not walked to its end") {
  Growing chain(small_genesis());
  for (std::uint64_t i = 0; i < 20'000; ++i) chain.pool.add(facts_of(i, i % 100), i, {});
  struct CountingView : MemoryView {
    bool is_placed(const EventKey& key) override {
      ++lookups;
      return MemoryView::is_placed(key);
    }
    int lookups = 0;
  } view;
  const UnixMillis at = chain.state.tip_header.seal.sealed_at;
  const Assembly assembly = assemble(chain.state, view, chain.pool, chain.same_content,
                                     [](const EventKey&) { return std::nullopt; }, at, at, {}, {});
  CHECK(assembly.facts.entries.size() == 50);
  CHECK(view.lookups < 60);
}
