#include <doctest/doctest.h>

#include <functional>
#include <memory>

#include "store/memory_store.h"
#include "store/sqlite/sqlite_reader.h"
#include "store/sqlite/sqlite_store.h"
#include "store_fixture.h"
#include "temporary_directory.h"

// One suite for both stores: the one in memory is only useful if it behaves as the one on disk.
namespace eventchain::store::testing {

namespace {

using chain::Height;
using chain::Position;
using chain::StreamVersion;
using consensus::LogIndex;

// A store that can be restarted.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual Store& store() = 0;
  virtual ChainReader& reader() = 0;
  // A crash of the process: what was not committed is gone.
  virtual void restart() = 0;
};

class MemorySubject : public Subject {
 public:
  Store& store() override { return store_; }
  ChainReader& reader() override { return store_; }
  void restart() override { store_.crash(); }

 private:
  MemoryStore store_{small_genesis()};
};

class SqliteSubject : public Subject {
 public:
  SqliteSubject() { open(); }
  Store& store() override { return *store_; }
  ChainReader& reader() override { return *reader_; }
  void restart() override {
    reader_.reset();
    store_.reset();
    open();
  }

 private:
  void open() {
    auto store = open_store(directory_.file("chain.db"), small_genesis());
    REQUIRE_MESSAGE(store, store.error().message);
    store_ = std::move(*store);
    store_->chain().recover();
    auto reader = open_reader(directory_.file("chain.db"), small_genesis(), 2);
    REQUIRE_MESSAGE(reader, reader.error().message);
    reader_ = std::move(*reader);
  }

  TemporaryDirectory directory_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<SqliteReader> reader_;
};

void with_both(const std::function<void(Subject&)>& story) {
  SUBCASE("in memory") {
    MemorySubject subject;
    story(subject);
  }
  SUBCASE("in SQLite") {
    SqliteSubject subject;
    story(subject);
  }
}

void put(Subject& subject, const std::vector<chain::HeldEvent>& events) {
  turn(subject.store(), [&] {
    for (const chain::HeldEvent& event : events) subject.store().chain().put_event(event);
  });
}

void apply(Subject& subject, const BlockApplication& application) {
  turn(subject.store(), [&] { subject.store().chain().apply_block(application); });
}

consensus::Entry command(std::uint64_t term, const std::string& payload) {
  return {consensus::Term{term}, consensus::EntryKind::kCommand, payload};
}

}  // namespace

TEST_CASE("a new store holds the genesis block and nothing else") {
  with_both([](Subject& subject) {
    const auto recovered = subject.store().chain().recover();
    const chain::ChainState expected = chain::initial_state(small_genesis());
    CHECK(recovered.state.tip == expected.tip);
    CHECK(recovered.state.history.root() == expected.history.root());
    CHECK(recovered.applied.value == 0);
    CHECK(recovered.pending.empty());
    CHECK(subject.reader().tip().id == expected.tip);
    CHECK(subject.reader().block(Height{0})->block.sealed == expected.tip_header);
    CHECK(subject.store().chain().height_of(expected.tip) == Height{0});
    CHECK(subject.store().chain().block(Height{1}).error().code == chain::ErrorCode::kNotFound);
    const auto raft = subject.store().raft().load();
    CHECK(raft.hard_state == consensus::HardState{});
    CHECK(raft.first.value == 1);
    CHECK(raft.entries.empty());
    CHECK_FALSE(raft.snapshot.has_value());
  });
}

TEST_CASE("a turn that was not committed never happened") {
  with_both([](Subject& subject) {
    const auto kept = event_of(1, 1);
    const auto lost = event_of(2, 1);
    put(subject, {kept});
    BlockMaker maker(small_genesis());
    const auto block = maker.next({kept, lost}, {}, LogIndex{3});
    Store& before = subject.store();
    const std::string committed = describe(before, {kept, lost});

    before.turns().begin();
    before.chain().put_event(lost);
    before.chain().put_template(template_of(block.block));
    before.chain().apply_block(block);
    before.chain().put_stale({block.block.sealed, "lost its height"});
    before.raft().save_hard_state({consensus::Term{4}, consensus::ServerId{2}});
    before.raft().append(LogIndex{1}, {command(4, "a"), command(4, "b")});
    CHECK(before.chain().is_placed(lost.facts.key));  // the turn sees its own writes
    CHECK(before.raft().entries(LogIndex{2}, LogIndex{2}) == std::vector{command(4, "b")});
    subject.restart();

    CHECK(describe(subject.store(), {kept, lost}) == committed);
    CHECK(subject.reader().stale().empty());
    CHECK(subject.reader().tip().height == Height{0});
  });
}

TEST_CASE("an event is pending until a block gives it a position or rejects it") {
  with_both([](Subject& subject) {
    const auto placed = event_of(1, 1);
    const auto refused = event_of(2, 1);
    const auto waiting = event_of(3, 1);
    put(subject, {placed, refused, waiting});
    CHECK(subject.store().chain().recover().pending.size() == 3);
    CHECK(subject.reader().event(placed.facts.key)->state == EventLookup::State::kUnknown);

    BlockMaker maker(small_genesis());
    apply(subject,
          maker.next({placed},
                     {{refused, chain::RejectionReason::kVersionConflict, StreamVersion{0}}},
                     LogIndex{2}));
    subject.restart();

    const auto recovered = subject.store().chain().recover();
    CHECK(recovered.applied == LogIndex{2});
    CHECK(recovered.state.tip == maker.state().tip);
    CHECK(recovered.state.log.root() == maker.state().log.root());
    CHECK(recovered.state.history.root() == maker.state().history.root());
    REQUIRE(recovered.pending.size() == 1);
    CHECK(recovered.pending[0].second == waiting.facts);

    CHECK(subject.store().chain().is_placed(placed.facts.key));
    CHECK_FALSE(subject.store().chain().is_placed(refused.facts.key));
    const auto completed = subject.reader().event(placed.facts.key);
    CHECK(completed->state == EventLookup::State::kCompleted);
    CHECK(completed->position == Position{0});
    CHECK(completed->version == StreamVersion{0});
    CHECK(completed->event->body == placed.body);
    const auto rejected = subject.reader().event(refused.facts.key);
    CHECK(rejected->state == EventLookup::State::kRejected);
    CHECK(rejected->rejected == chain::RejectionReason::kVersionConflict);
    CHECK(rejected->version == StreamVersion{0});
    CHECK(rejected->height == Height{1});
    CHECK(subject.reader().event(event_of(9, 9).facts.key)->state == EventLookup::State::kUnknown);
  });
}

TEST_CASE("variants of one key are kept apart and the placed one speaks for the key") {
  with_both([](Subject& subject) {
    const auto first = event_of(1, 1, 0);
    const auto second = event_of(1, 1, 1);
    const auto third = event_of(1, 1, 2);
    put(subject, {first, second, third});
    ChainStore& chain = subject.store().chain();
    CHECK(chain.find_event(first.facts.key).size() == 3);
    CHECK(chain.load_event(ref(second))->salt == second.salt);

    BlockMaker maker(small_genesis());
    apply(subject,
          maker.next({second}, {{third, chain::RejectionReason::kKeyTaken, {}}}, LogIndex{1}));
    turn(subject.store(), [&] { chain.drop_variant(ref(first)); });

    CHECK_FALSE(chain.holds(ref(first)));
    CHECK(chain.holds(ref(second)));
    CHECK(chain.load_event(ref(first)).error().code == chain::ErrorCode::kNotFound);
    const auto records = chain.find_event(first.facts.key);
    REQUIRE(records.size() == 2);
    CHECK(records[0].facts == second.facts);
    CHECK(records[0].position == Position{0});
    CHECK(records[1].rejected == chain::RejectionReason::kKeyTaken);
    CHECK(subject.reader().event(first.facts.key)->event->facts == second.facts);
    CHECK(chain.recover().pending.empty());
  });
}

TEST_CASE("a variant that was rejected once can still be placed") {
  with_both([](Subject& subject) {
    const auto event = event_of(1, 1);
    put(subject, {event});
    BlockMaker maker(small_genesis());
    apply(subject, maker.next({}, {{event}}, LogIndex{1}));
    CHECK(subject.reader().event(event.facts.key)->state == EventLookup::State::kRejected);
    apply(subject, maker.next({event}, {}, LogIndex{2}));
    const auto lookup = subject.reader().event(event.facts.key);
    CHECK(lookup->state == EventLookup::State::kCompleted);
    CHECK_FALSE(lookup->rejected.has_value());
    CHECK(lookup->height == Height{2});
  });
}

TEST_CASE("streams and log read back what was placed, block by block") {
  with_both([](Subject& subject) {
    const std::uint64_t seed = 20240517;
    INFO("seed " << seed);
    chain::Rng rng(seed);
    BlockMaker maker(small_genesis());
    std::vector<chain::HeldEvent> placed;
    std::map<chain::StreamKey, std::vector<chain::HeldEvent>> streams;
    for (std::uint64_t height = 1; height <= 30; ++height) {
      std::vector<chain::HeldEvent> entries;
      for (std::uint64_t count = rng.below(40); count > 0; --count)
        entries.push_back(event_of(1000 * height + count, rng.below(5)));
      put(subject, entries);
      // The log's order is not the order of arrival.
      for (std::size_t i = entries.size(); i > 1; --i)
        std::swap(entries[i - 1], entries[rng.below(i)]);
      apply(subject, maker.next(entries, {}, LogIndex{height}));
      for (const auto& event : entries) {
        placed.push_back(event);
        streams[event.facts.stream].push_back(event);
      }
    }
    subject.restart();

    ChainReader& reader = subject.reader();
    CHECK(reader.tip().log_size == placed.size());
    CHECK(reader.tip().total_work == maker.state().history.total_work());
    for (std::uint64_t trial = 0; trial < 40; ++trial) {
      const std::uint64_t from = rng.below(placed.size() + 3);
      const std::size_t limit = 1 + rng.below(50);
      const auto events = reader.log(Position{from}, limit);
      REQUIRE(events);
      const std::size_t left = from < placed.size() ? placed.size() - from : 0;
      REQUIRE(events->size() == std::min(limit, left));
      for (std::size_t i = 0; i < events->size(); ++i) {
        CHECK((*events)[i].event.body == placed[from + i].body);
        CHECK((*events)[i].position.value == from + i);
      }
    }
    for (const auto& [stream, expected] : streams) {
      CHECK(reader.stream_version(stream).value + 1 == static_cast<std::int64_t>(expected.size()));
      CHECK(subject.store().chain().stream_version(stream) == reader.stream_version(stream));
      const std::uint64_t from = rng.below(expected.size());
      const auto events =
          reader.stream(stream, StreamVersion{static_cast<std::int64_t>(from)}, 10'000);
      REQUIRE(events);
      REQUIRE(events->size() == expected.size() - from);
      for (std::size_t i = 0; i < events->size(); ++i) {
        CHECK((*events)[i].event.facts == expected[from + i].facts);
        CHECK((*events)[i].version.value == static_cast<std::int64_t>(from + i));
      }
    }
    CHECK(reader.stream(event_of(1, 99).facts.stream, StreamVersion{0}, 10)->empty());
  });
}

TEST_CASE("the stored hashes of the log tree prove every event against the tip's log root") {
  with_both([](Subject& subject) {
    BlockMaker maker(small_genesis());
    std::vector<chain::HeldEvent> placed;
    for (std::uint64_t height = 1; height <= 3; ++height) {
      std::vector<chain::HeldEvent> entries;
      for (std::uint64_t i = 0; i < 300; ++i) entries.push_back(event_of(1000 * height + i, i));
      put(subject, entries);
      apply(subject, maker.next(entries, {}, LogIndex{height}));
      placed.insert(placed.end(), entries.begin(), entries.end());
    }
    ChainReader& reader = subject.reader();
    const auto read = [&](std::uint8_t level, std::uint64_t index) {
      return reader.tree_hash(level, index);
    };
    const chain::Hash root = reader.tip().sealed.header.log_root;
    for (std::uint64_t index = 0; index < placed.size(); index += 97) {
      const auto path = chain::inclusion_proof(index, placed.size(), read);
      REQUIRE_MESSAGE(path, path.error().message);
      const chain::Hash leaf = chain::log_leaf(placed[index].facts.commitment);
      CHECK(chain::verify_inclusion(index, placed.size(), leaf, *path, root));
    }
    CHECK(reader.tree_hash(0, placed.size()).error().code == chain::ErrorCode::kNotFound);
  });
}

TEST_CASE("headers, blocks and heights read back, from genesis to the tip") {
  with_both([](Subject& subject) {
    BlockMaker maker(small_genesis());
    std::vector<BlockApplication> blocks;
    for (std::uint64_t height = 1; height <= 5; ++height) {
      const auto event = event_of(height, 1);
      put(subject, {event});
      blocks.push_back(maker.next({event}, {}, LogIndex{height}));
      apply(subject, blocks.back());
    }
    const auto headers = subject.reader().headers(Height{2}, 3);
    REQUIRE(headers);
    REQUIRE(headers->size() == 3);
    CHECK((*headers)[0] == blocks[1].block.sealed);
    CHECK(subject.reader().headers(Height{0}, 100)->size() == 6);
    CHECK(subject.reader().headers(Height{6}, 100)->empty());
    const auto stored = subject.reader().block(Height{4});
    CHECK(stored->id == blocks[3].id);
    CHECK(stored->first_position == 3);
    CHECK(stored->block == blocks[3].block);
    CHECK(*subject.store().chain().block(Height{4}) == blocks[3].block);
    CHECK(subject.store().chain().height_of(blocks[3].id) == Height{4});
    CHECK_FALSE(subject.store().chain().height_of(chain::BlockId{}).has_value());
  });
}

TEST_CASE("a template is kept until its height is applied") {
  with_both([](Subject& subject) {
    const auto event = event_of(1, 1);
    put(subject, {event});
    BlockMaker maker(small_genesis());
    BlockMaker rival(small_genesis());
    const auto block = maker.next({event}, {}, LogIndex{1});
    const auto next = maker.next({}, {}, LogIndex{2});
    const auto other = rival.next({}, {}, LogIndex{1});
    ChainStore& chain = subject.store().chain();
    turn(subject.store(), [&] {
      for (const auto* made : {&block, &next, &other, &block})
        chain.put_template(template_of(made->block));
    });
    const auto hash = [](const BlockApplication& made) {
      return chain::template_hash(made.block.sealed.header);
    };
    CHECK(chain.find_template(hash(block)) == template_of(block.block));
    apply(subject, block);
    subject.restart();
    CHECK_FALSE(subject.store().chain().find_template(hash(block)).has_value());
    CHECK_FALSE(subject.store().chain().find_template(hash(other)).has_value());
    CHECK(subject.store().chain().find_template(hash(next)).has_value());
  });
}

TEST_CASE("stale blocks are remembered in order") {
  with_both([](Subject& subject) {
    BlockMaker maker(small_genesis());
    const auto first = maker.next({}, {}, LogIndex{1});
    const auto second = maker.next({}, {}, LogIndex{1});
    turn(subject.store(), [&] {
      subject.store().chain().put_stale({first.block.sealed, "lost its height"});
      subject.store().chain().put_stale({second.block.sealed, "another leader's"});
    });
    subject.restart();
    const auto stale = subject.reader().stale();
    REQUIRE(stale.size() == 2);
    CHECK(stale[0].sealed == first.block.sealed);
    CHECK(stale[1].reason == "another leader's");
  });
}

TEST_CASE("Raft's log is cut where a new leader overwrites it") {
  with_both([](Subject& subject) {
    turn(subject.store(), [&] {
      subject.store().raft().append(LogIndex{1},
                                    {command(1, "a"), command(1, "b"), command(1, "c")});
      subject.store().raft().save_hard_state({consensus::Term{1}, consensus::ServerId{3}});
    });
    turn(subject.store(), [&] {
      subject.store().raft().append(LogIndex{2}, {command(2, "x")});
      subject.store().raft().save_hard_state({consensus::Term{2}, consensus::ServerId{0}});
      subject.store().chain().set_applied(LogIndex{1});
    });
    subject.restart();
    const auto loaded = subject.store().raft().load();
    CHECK(loaded.hard_state == consensus::HardState{consensus::Term{2}, consensus::ServerId{0}});
    CHECK(loaded.entries == std::vector{command(1, "a"), command(2, "x")});
    CHECK(subject.store().chain().recover().applied == LogIndex{1});
  });
}

TEST_CASE("a snapshot drops the log behind it, or all of it when it came from the leader") {
  with_both([](Subject& subject) {
    consensus::Snapshot own;
    own.meta = {LogIndex{6}, consensus::Term{1}, {{consensus::ServerId{1}}}, LogIndex{1}};
    own.bytes = std::string("\0state", 6);
    turn(subject.store(), [&] {
      std::vector<consensus::Entry> entries;
      for (char name = 'a'; name < 'i'; ++name) entries.push_back(command(1, std::string(1, name)));
      subject.store().raft().append(LogIndex{1}, entries);
      subject.store().raft().save_snapshot(own, 2);
    });
    subject.restart();
    auto loaded = subject.store().raft().load();
    CHECK(loaded.first == LogIndex{5});
    CHECK(loaded.entries.size() == 4);
    CHECK(loaded.entries.front().payload == "e");
    CHECK(loaded.snapshot == own);

    consensus::Snapshot installed = own;
    installed.meta.index = LogIndex{20};
    installed.meta.configuration.push_back({consensus::ServerId{2}, consensus::Suffrage::kStandby});
    turn(subject.store(), [&] { subject.store().raft().save_snapshot(installed, 0); });
    subject.restart();
    loaded = subject.store().raft().load();
    CHECK(loaded.first == LogIndex{21});
    CHECK(loaded.entries.empty());
    CHECK(subject.store().raft().snapshot() == installed);
    turn(subject.store(),
         [&] { subject.store().raft().append(LogIndex{21}, {command(3, "next")}); });
    CHECK(subject.store().raft().load().entries.size() == 1);
  });
}

TEST_CASE("whatever the turns are, a crash leaves the last committed one") {
  with_both([](Subject& subject) {
    const std::uint64_t seed = 7;
    INFO("seed " << seed);
    chain::Rng rng(seed);
    std::vector<chain::HeldEvent> events;
    std::vector<chain::HeldEvent> pending;
    BlockMaker maker(small_genesis());
    std::uint64_t log_end = 1;
    for (std::uint64_t step = 1; step <= 60; ++step) {
      const std::string before = describe(subject.store(), events);
      const BlockMaker maker_before = maker;
      const auto pending_before = pending;
      const std::uint64_t log_end_before = log_end;
      const bool is_kept = rng.chance(1, 2);
      Store& store = subject.store();
      store.turns().begin();
      for (std::uint64_t i = rng.below(4); i > 0; --i) {
        events.push_back(event_of(100 * step + i, rng.below(3), 0, rng.below(300)));
        pending.push_back(events.back());
        store.chain().put_event(events.back());
      }
      if (rng.chance(1, 2)) {
        const std::uint64_t from = 1 + rng.below(log_end);
        store.raft().append(LogIndex{from}, {command(step, "x"), command(step, "y")});
        log_end = from + 2;
      }
      if (rng.chance(1, 2)) {
        const auto block = maker.next(pending, {}, LogIndex{step});
        store.chain().put_template(template_of(block.block));
        store.chain().apply_block(block);
        pending.clear();
      }
      const std::string after = describe(store, events);
      if (is_kept) store.turns().commit();
      subject.restart();
      if (!is_kept) {
        maker = maker_before;
        pending = pending_before;
        log_end = log_end_before;
      }
      INFO("step " << step);
      if (is_kept) {
        REQUIRE(describe(subject.store(), events) == after);
      } else {
        const auto known = before.substr(0, before.find("\nevent"));
        REQUIRE(describe(subject.store(), events).substr(0, known.size()) == known);
        while (!events.empty() && !subject.store().chain().holds(ref(events.back())))
          events.pop_back();
        REQUIRE(describe(subject.store(), events) == before);
      }
    }
  });
}

}  // namespace eventchain::store::testing
