#include "chain/rules.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "chain/stamp.h"
#include "chain_fixture.h"

using namespace eventchain::chain;
using namespace eventchain::chain::testing;

namespace {

// A chain of two blocks; stream 1 stands at version 2, stream 2 at 0; events 1..4 are placed.
struct TwoBlocks : Growing {
  TwoBlocks() : Growing(small_genesis()) {
    pool.add(facts_of(1, 1), 1, {});
    pool.add(facts_of(2, 1), 2, {});
    (void)commit(assemble_next());
    pool.add(facts_of(3, 1), 3, {});
    pool.add(facts_of(4, 2), 4, {});
    (void)commit(assemble_next());
  }

  // A sound template with these entries and rejections, made by hand: the assembler would not make
  // the unsound ones.
  Assembly with(const std::vector<EventFacts>& entries, const std::vector<Rejection>& rejections,
                const std::vector<EventFacts>& rejected) {
    Assembly assembly = assemble_next();
    assembly.facts = ContentFacts{entries, rejected};
    for (const EventFacts& facts : entries)
      assembly.made.content.entries.push_back(EntryRef{facts.key, facts.commitment});
    for (const Rejection& rejection : rejections) assembly.made.content.annex.push_back(rejection);
    refresh(assembly.made);
    return assembly;
  }

  // Makes the header fit the content again.
  void refresh(Template& made) const {
    LogTree log = state.log;
    for (const EntryRef& entry : made.content.entries) log.append(log_leaf(entry.commitment));
    made.header.log_size = log.size();
    made.header.log_root = log.root();
    made.header.annex_root = annex_root(made.content.annex);
  }

  Rule rule(const Assembly& assembly) {
    const Verdict verdict = check_template(state, view, assembly.made, assembly.facts, nullptr);
    CHECK(verdict.blame == (verdict.ok() ? Blame::kNobody : Blame::kLeader));
    return verdict.rule;
  }
  Rule rule_of_entries(const std::vector<EventFacts>& entries) {
    return rule(with(entries, {}, {}));
  }
  // One rejection of `facts` beside `entries`.
  Rule rule_of_rejection(const EventFacts& facts, RejectionReason reason, std::int64_t version,
                         const std::vector<EventFacts>& entries = {}) {
    const Rejection rejection{facts.key, facts.commitment, reason, StreamVersion{version}};
    return rule(with(entries, {rejection}, {facts}));
  }
};

// Other content under the key of an event.
EventFacts variant_of(const EventFacts& facts) {
  EventFacts variant = facts;
  variant.commitment.octets[0] ^= 1;
  return variant;
}

}  // namespace

TEST_CASE("a header is checked field by field, and the verdict says who answers") {
  struct Case {
    Rule rule;
    Blame blame;
    std::function<void(TemplateHeader&)> change;
  };
  const Case cases[] = {
      {Rule::kOk, Blame::kNobody, [](TemplateHeader&) {}},
      {Rule::kWrongChain, Blame::kSender, [](TemplateHeader& h) { h.chain.octets[3] ^= 1; }},
      {Rule::kWrongParent, Blame::kNobody, [](TemplateHeader& h) { h.parent.octets[3] ^= 1; }},
      {Rule::kWrongHeight, Blame::kLeader, [](TemplateHeader& h) { ++h.height.value; }},
      {Rule::kWrongHeight, Blame::kLeader, [](TemplateHeader& h) { --h.height.value; }},
      {Rule::kTimeBeforeParent, Blame::kLeader, [](TemplateHeader& h) { --h.started.value; }},
      {Rule::kTimeBeforeStart, Blame::kLeader,
       [](TemplateHeader& h) { h.time.value = h.started.value - 1; }},
      {Rule::kTimeTooLate, Blame::kLeader,
       [](TemplateHeader& h) { h.time.value = kStampMax.value + 1; }},
      {Rule::kTimeTooLate, Blame::kLeader,
       [](TemplateHeader& h) { h.started = h.time = {std::numeric_limits<std::int64_t>::max()}; }},
      {Rule::kOk, Blame::kNobody, [](TemplateHeader& h) { h.started = h.time = kStampMax; }},
      {Rule::kWrongTarget, Blame::kLeader, [](TemplateHeader& h) { --h.share_target.bits; }},
      {Rule::kWrongTarget, Blame::kLeader, [](TemplateHeader& h) { h.share_target.bits = 0; }},
      {Rule::kWrongShareCount, Blame::kLeader, [](TemplateHeader& h) { ++h.share_count; }},
      {Rule::kWrongMemberSet, Blame::kLeader,
       [](TemplateHeader& h) { h.member_set.octets[3] ^= 1; }},
      {Rule::kWrongHistoryRoot, Blame::kLeader,
       [](TemplateHeader& h) { h.history_root.octets[3] ^= 1; }},
      {Rule::kWrongLogSize, Blame::kLeader, [](TemplateHeader& h) { h.log_size = 3; }},
      {Rule::kOk, Blame::kNobody, [](TemplateHeader& h) { h.log_size = 54; }},
      {Rule::kTooManyEvents, Blame::kLeader, [](TemplateHeader& h) { h.log_size = 55; }},
      // Only the content can tell that these are wrong.
      {Rule::kOk, Blame::kNobody, [](TemplateHeader& h) { h.log_root.octets[3] ^= 1; }},
      {Rule::kOk, Blame::kNobody, [](TemplateHeader& h) { h.annex_root.octets[3] ^= 1; }},
  };
  TwoBlocks chain;
  for (const Case& one : cases) {
    TemplateHeader header = chain.assemble_next().made.header;
    one.change(header);
    const Verdict verdict = check_header(chain.state, header);
    INFO(to_string(one.rule), " against ", to_string(verdict.rule));
    CHECK(verdict == Verdict{one.rule, one.blame});
  }
}

TEST_CASE("a target is eased when the stamps say so and only then") {
  Genesis genesis = small_genesis();
  genesis.first_target = compact(target_for(U256(1'000'000)));
  const ChainState state = initial_state(genesis);
  Growing chain(genesis);
  TemplateHeader header = chain.assemble_next().made.header;
  REQUIRE(check_header(state, header).ok());
  header.time.value = header.started.value + 4 * genesis.interval_ms;
  CHECK(check_header(state, header).rule == Rule::kWrongTarget);
  header.share_target = compact(expand(genesis.first_target).value() * U256(16));
  CHECK(check_header(state, header).ok());
  --header.time.value;
  CHECK(check_header(state, header).rule == Rule::kWrongTarget);
}

TEST_CASE("a template's projection gives each entry its version and position") {
  TwoBlocks chain;
  const Assembly assembly = chain.with(
      {facts_of(10, 1, 2), facts_of(11, 3), facts_of(12, 1), facts_of(13, 2, 0)}, {}, {});
  Projection projection;
  REQUIRE(check_template(chain.state, chain.view, assembly.made, assembly.facts, &projection).ok());
  CHECK(projection.first_position == 4);
  CHECK(projection.versions == std::vector<StreamVersion>{StreamVersion{3}, StreamVersion{0},
                                                          StreamVersion{4}, StreamVersion{1}});
  CHECK(projection.log.size() == 8);
  CHECK(projection.log.root() == assembly.made.header.log_root);
  // What the store keeps of this block: its four leaves.
  REQUIRE(projection.tree_hashes.size() == 4);
  CHECK(projection.tree_hashes[0] == TreeHash{0, 4, log_leaf(commitment_of(10))});
}

TEST_CASE("a key has one position for ever") {
  TwoBlocks chain;
  CHECK(chain.rule_of_entries({facts_of(10, 1), facts_of(11, 1)}) == Rule::kOk);
  CHECK(chain.rule_of_entries({facts_of(10, 1), facts_of(10, 1)}) == Rule::kDuplicateKey);
  CHECK(chain.rule_of_entries({facts_of(10, 1), variant_of(facts_of(10, 1))}) ==
        Rule::kDuplicateKey);
  CHECK(chain.rule_of_entries({variant_of(facts_of(3, 1))}) == Rule::kDuplicateKey);
}

TEST_CASE("an entry stands where its expectation holds") {
  TwoBlocks chain;
  CHECK(chain.rule_of_entries({facts_of(10, 1, 2)}) == Rule::kOk);
  CHECK(chain.rule_of_entries({facts_of(10, 1, 1)}) == Rule::kVersionExpectation);
  CHECK(chain.rule_of_entries({facts_of(10, 1, 3)}) == Rule::kVersionExpectation);
  CHECK(chain.rule_of_entries({facts_of(10, 9, -1)}) == Rule::kOk);
  CHECK(chain.rule_of_entries({facts_of(10, 2, -1)}) == Rule::kVersionExpectation);
  // The versions inside the block count.
  CHECK(chain.rule_of_entries({facts_of(10, 1), facts_of(11, 1, 3)}) == Rule::kOk);
  CHECK(chain.rule_of_entries({facts_of(11, 1, 3), facts_of(10, 1)}) == Rule::kVersionExpectation);
}

TEST_CASE("content that is not what the header or the bodies say is the leader's fault") {
  TwoBlocks chain;
  const EventFacts sound = facts_of(10, 1);
  EventFacts heavy = sound;
  heavy.body_bytes = chain.state.genesis.block_bytes_max;
  CHECK(chain.rule_of_entries({heavy}) == Rule::kOk);
  ++heavy.body_bytes;
  CHECK(chain.rule_of_entries({heavy}) == Rule::kTooManyBytes);

  Assembly assembly = chain.with({sound}, {}, {});
  assembly.made.content.entries[0].key = key_of(99);
  CHECK(chain.rule(assembly) == Rule::kKeyMismatch);

  assembly = chain.with({sound}, {}, {});
  assembly.made.content.entries[0].commitment = commitment_of(99);
  CHECK(chain.rule(assembly) == Rule::kKeyMismatch);

  assembly = chain.with({sound}, {}, {});
  ++assembly.made.header.log_size;
  CHECK(chain.rule(assembly) == Rule::kWrongLogSize);

  assembly = chain.with({sound}, {}, {});
  assembly.made.header.log_root.octets[0] ^= 1;
  CHECK(chain.rule(assembly) == Rule::kWrongLogRoot);

  assembly = chain.with({sound}, {}, {});
  assembly.made.header.annex_root.octets[0] ^= 1;
  CHECK(chain.rule(assembly) == Rule::kWrongAnnexRoot);

  std::vector<EventFacts> many;
  for (std::uint64_t i = 0; i < chain.state.genesis.block_events_max; ++i)
    many.push_back(facts_of(100 + i, i));
  CHECK(chain.rule_of_entries(many) == Rule::kOk);
  many.push_back(facts_of(99, 99));
  CHECK(chain.rule_of_entries(many) == Rule::kTooManyEvents);
}

TEST_CASE("a version conflict must name a version that the stream has passed") {
  TwoBlocks chain;
  const auto rule = [&](std::optional<std::int64_t> expected, std::int64_t version,
                        const std::vector<EventFacts>& entries = {}) {
    return chain.rule_of_rejection(facts_of(10, 1, expected), RejectionReason::kVersionConflict,
                                   version, entries);
  };
  CHECK(rule(1, 2) == Rule::kOk);
  CHECK(rule(-1, 2) == Rule::kOk);
  CHECK(rule(1, 1) == Rule::kUnjustifiedRejection);
  CHECK(rule(2, 2) == Rule::kUnjustifiedRejection);
  CHECK(rule(3, 2) == Rule::kUnjustifiedRejection);
  CHECK(rule(std::nullopt, 2) == Rule::kUnjustifiedRejection);
  // Judged after all entries of the block.
  CHECK(rule(2, 3, {facts_of(11, 1)}) == Rule::kOk);
  CHECK(rule(2, 2, {facts_of(11, 1)}) == Rule::kUnjustifiedRejection);
}

TEST_CASE("an expired expectation must name a version that the stream has not reached") {
  TwoBlocks chain;
  const auto rule = [&](std::optional<std::int64_t> expected, std::int64_t version,
                        const std::vector<EventFacts>& entries = {}) {
    return chain.rule_of_rejection(facts_of(10, 1, expected), RejectionReason::kExpectationExpired,
                                   version, entries);
  };
  CHECK(rule(3, 2) == Rule::kOk);
  CHECK(rule(3, 1) == Rule::kUnjustifiedRejection);
  CHECK(rule(2, 2) == Rule::kUnjustifiedRejection);
  CHECK(rule(1, 2) == Rule::kUnjustifiedRejection);
  CHECK(rule(std::nullopt, 2) == Rule::kUnjustifiedRejection);
  CHECK(rule(3, 3, {facts_of(11, 1)}) == Rule::kUnjustifiedRejection);
  CHECK(rule(4, 3, {facts_of(11, 1)}) == Rule::kOk);
}

TEST_CASE("a taken key must have a position, and an event with a position is not refused") {
  TwoBlocks chain;
  const EventFacts fresh = facts_of(10, 1);
  const EventFacts other = variant_of(fresh);
  constexpr auto kTaken = RejectionReason::kKeyTaken;
  CHECK(chain.rule_of_rejection(fresh, kTaken, -1) == Rule::kUnjustifiedRejection);
  CHECK(chain.rule_of_rejection(variant_of(facts_of(3, 1)), kTaken, -1) == Rule::kOk);
  CHECK(chain.rule_of_rejection(variant_of(facts_of(3, 1)), kTaken, 2) ==
        Rule::kUnjustifiedRejection);
  CHECK(chain.rule_of_rejection(other, kTaken, -1, {fresh}) == Rule::kOk);
  CHECK(chain.rule_of_rejection(fresh, kTaken, -1, {fresh}) == Rule::kUnjustifiedRejection);

  // Its expectation is past, but the event already has a position: in this block, or before.
  const EventFacts placed = facts_of(10, 1, 2);
  CHECK(chain.rule_of_rejection(placed, RejectionReason::kVersionConflict, 3, {placed}) ==
        Rule::kUnjustifiedRejection);
  CHECK(chain.rule_of_rejection(facts_of(3, 1, 1), RejectionReason::kVersionConflict, 2) ==
        Rule::kUnjustifiedRejection);
  CHECK(chain.rule_of_rejection(facts_of(3, 1, 5), RejectionReason::kExpectationExpired, 2) ==
        Rule::kUnjustifiedRejection);
}

TEST_CASE("a rejection names its event rightly, has a known reason and comes once") {
  TwoBlocks chain;
  const EventFacts facts = facts_of(10, 1, 1);
  const Rejection sound{facts.key, facts.commitment, RejectionReason::kVersionConflict,
                        StreamVersion{2}};
  CHECK(chain.rule(chain.with({}, {sound}, {facts})) == Rule::kOk);
  CHECK(chain.rule(chain.with({}, {sound, sound}, {facts, facts})) == Rule::kUnjustifiedRejection);
  Rejection wrong = sound;
  wrong.key = key_of(77);
  CHECK(chain.rule(chain.with({}, {wrong}, {facts})) == Rule::kKeyMismatch);
  wrong = sound;
  wrong.commitment = commitment_of(77);
  CHECK(chain.rule(chain.with({}, {wrong}, {facts})) == Rule::kKeyMismatch);
  wrong = sound;
  wrong.reason = RejectionReason{9};
  CHECK(chain.rule(chain.with({}, {wrong}, {facts})) == Rule::kUnjustifiedRejection);

  const std::vector<Rejection> many(kBlockAnnexLimit + 1, sound);
  CHECK(chain.rule(chain.with({}, many, std::vector<EventFacts>(many.size(), facts))) ==
        Rule::kTooManyEvents);
}

TEST_CASE("a seal has the right number of distinct shares of members that meet the target") {
  Genesis genesis = small_genesis();
  genesis.first_target = genesis.easiest_target = kSomeHashes;
  Growing chain(genesis);
  const TemplateHeader header = chain.assemble_next().made.header;
  const SealedHeader sound{header, seal_for(chain.state, header, header.time)};
  REQUIRE(check_seal(chain.state, small_digest(), sound).ok());
  for (const Nonce& share : sound.seal.shares)
    CHECK(check_share(chain.state, small_digest(), header, share).ok());

  const auto rule = [&](const std::function<void(Seal&)>& change) {
    SealedHeader sealed = sound;
    change(sealed.seal);
    const Verdict verdict = check_seal(chain.state, small_digest(), sealed);
    CHECK(verdict.blame == Blame::kLeader);
    return verdict.rule;
  };
  CHECK(rule([](Seal& s) { s.shares.pop_back(); }) == Rule::kWrongShareCount);
  CHECK(rule([](Seal& s) { s.shares.push_back(Nonce{~0ULL, 0}); }) == Rule::kWrongShareCount);
  CHECK(rule([](Seal& s) { std::swap(s.shares[0], s.shares[1]); }) == Rule::kSharesNotDistinct);
  CHECK(rule([](Seal& s) { s.shares[1] = s.shares[0]; }) == Rule::kSharesNotDistinct);
  CHECK(rule([](Seal& s) { --s.sealed_at.value; }) == Rule::kSealedBeforeTime);
  CHECK(rule([](Seal& s) { s.sealed_at.value = kStampMax.value + 1; }) == Rule::kTimeTooLate);
  SealedHeader last = sound;
  last.seal.sealed_at = kStampMax;
  CHECK(check_seal(chain.state, small_digest(), last).ok());
  CHECK(rule([](Seal& s) { s.shares.back().high = nonce_high(Slot{3}, 0, 0); }) ==
        Rule::kShareSlotUnknown);
  CHECK(rule([](Seal& s) { s.shares.back().high = nonce_high(Slot{2}, 255, 1); }) ==
        Rule::kShareMissesTarget);

  // A share found in a slot that nobody has, and one that is none at all: the sender's fault.
  const U256 target = expand(header.share_target).value();
  Nonce foreign{nonce_high(Slot{3}, 0, 0), 0};
  while (!share_meets(small_digest(), header, foreign, target)) ++foreign.low;
  CHECK(check_share(chain.state, small_digest(), header, foreign) ==
        Verdict{Rule::kShareSlotUnknown, Blame::kSender});
  Nonce miss{nonce_high(Slot{2}, 0, 0), 0};
  while (share_meets(small_digest(), header, miss, target)) ++miss.low;
  CHECK(check_share(chain.state, small_digest(), header, miss) ==
        Verdict{Rule::kShareMissesTarget, Blame::kSender});
  // Shares count for one template only.
  TemplateHeader later = header;
  ++later.time.value;
  int still_met = 0;
  for (const Nonce& share : sound.seal.shares)
    still_met += check_share(chain.state, small_digest(), later, share).ok();
  CHECK(still_met < 4);
}

TEST_CASE("a state moves on block by block, and the store gets every node of the history") {
  Growing chain(small_genesis());
  const SealedHeader genesis = chain.state.tip_header;
  std::vector<HistoryNode> nodes{history_leaf(chain.state.tip, block_work(genesis.header),
                                              genesis.header.time, genesis.seal.sealed_at)};
  CHECK(chain.state.history.peaks() == nodes);
  for (std::uint64_t height = 1; height <= 7; ++height) {
    const ChainState before = chain.state;
    const SealedHeader sealed = chain.commit(chain.assemble_next());
    const Advanced again = advance(before, sealed, before.log, before.members);
    CHECK(again.state.tip == chain.state.tip);
    CHECK(again.state.tip_header == sealed);
    CHECK(again.history_nodes.front() == history_leaf(block_id(sealed), block_work(sealed.header),
                                                      sealed.header.time, sealed.seal.sealed_at));
    nodes.insert(nodes.end(), again.history_nodes.begin(), again.history_nodes.end());
    CHECK(chain.state.height() == Height{height});
    // The next header must carry the new root.
    CHECK(chain.assemble_next().made.header.history_root == chain.state.history.root());
  }
  // Eight leaves and the seven nodes above them, the last of which holds all.
  CHECK(nodes.size() == 15);
  CHECK(chain.state.history.peaks() == std::vector<HistoryNode>{nodes.back()});
}

TEST_CASE("every rule has a name of its own") {
  std::set<std::string> names;
  const int last = static_cast<int>(Rule::kSealedBeforeTime);
  for (int rule = 0; rule <= last; ++rule) names.insert(to_string(static_cast<Rule>(rule)));
  CHECK(names.size() == static_cast<std::size_t>(last) + 1);
  CHECK(names.count("unknown") == 0);
}
