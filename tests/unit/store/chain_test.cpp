#include "both_stores.h"

// Events, blocks and what is read of them.
namespace eventchain::store::testing {

namespace {

using chain::Height;
using chain::Position;
using chain::StreamVersion;
using consensus::LogIndex;

}  // namespace

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
    // The writer is told the same.
    ChainStore& chain = subject.store().chain();
    CHECK(chain.find_event(placed.facts.key).at(0).version == StreamVersion{0});
    CHECK(chain.find_event(refused.facts.key).at(0).version == StreamVersion{0});
    CHECK_FALSE(chain.find_event(waiting.facts.key).at(0).version.has_value());
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
    CHECK(records[0].version == StreamVersion{0});
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

TEST_CASE("signatures are kept by slot, and a start knows the highest certified block") {
  with_both([](Subject& subject) {
    const auto signature = [](std::uint16_t slot) {
      chain::SlotSignature made{chain::Slot{slot}, {}};
      made.signature.octets[0] = static_cast<std::uint8_t>(slot + 1);
      return made;
    };
    const std::size_t quorum = chain::certificate_quorum(chain::first_members(small_genesis()));
    REQUIRE(quorum == 2);
    const auto put_signature = [&](std::uint64_t height, std::uint16_t slot) {
      turn(subject.store(),
           [&] { subject.store().chain().put_signature(Height{height}, signature(slot)); });
    };
    CHECK(subject.store().chain().recover().certified == Height{0});
    put_signature(1, 2);
    put_signature(1, 0);
    put_signature(3, 1);
    subject.store().turns().begin();
    subject.store().chain().put_signature(Height{3}, signature(0));
    subject.restart();  // that one never happened
    CHECK(subject.store().chain().recover().certified == Height{1});
    CHECK(subject.store().chain().signatures(Height{1}) ==
          chain::Certificate{signature(0), signature(2)});
    CHECK(subject.reader().certificate(Height{1}) ==
          chain::Certificate{signature(0), signature(2)});
    CHECK(subject.reader().certificate(Height{3}) == chain::Certificate{signature(1)});
    CHECK(subject.reader().certificate(Height{2}).empty());
    put_signature(3, 0);
    CHECK(subject.store().chain().recover().certified == Height{3});
  });
}

}  // namespace eventchain::store::testing
