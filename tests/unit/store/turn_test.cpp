#include <algorithm>

#include "both_stores.h"

// Turns, Raft's log, and what both leave behind after a crash.
namespace eventchain::store::testing {

namespace {

using chain::Height;
using consensus::LogIndex;

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

TEST_CASE("what is known of peers is kept, one line each, and goes with a turn that is lost") {
  with_both([](Subject& subject) {
    CHECK(subject.store().peers().load().empty());
    const auto voters = small_genesis().voters;
    const PeerSeen first{voters[0].node, voters[0].store, consensus::Term{3}, LogIndex{7}};
    PeerSeen second{voters[1].node, voters[1].store, consensus::Term{3}, LogIndex{9}};
    turn(subject.store(), [&] {
      subject.store().peers().save(first);
      subject.store().peers().save(second);
    });
    const PeerSeen lost{voters[2].node, voters[2].store, consensus::Term{4}, LogIndex{1}};
    subject.store().turns().begin();
    subject.store().peers().save(lost);
    subject.store().peers().save({first.node, first.store, consensus::Term{4}, LogIndex{1}});
    subject.restart();
    second.term = consensus::Term{1};
    turn(subject.store(), [&] { subject.store().peers().save(second); });
    subject.restart();
    auto known = subject.store().peers().load();
    std::ranges::sort(known, {}, &PeerSeen::node);
    std::vector<PeerSeen> expected{first, second};
    std::ranges::sort(expected, {}, &PeerSeen::node);
    CHECK(known == expected);
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
