#include <doctest/doctest.h>

#include "chain/rng.h"
#include "cluster.h"
#include "consensus/configuration.h"
#include "consensus/ingress.h"

namespace eventchain::consensus::testing {
namespace {

Envelope from_2(RaftMessage message) {
  return {server(2), server(1), std::move(message)};
}
bool is_faulty(const Envelope& envelope) {
  return ingress::find_fault(envelope, server(1)).has_value();
}
AppendEntries append(std::uint64_t term, std::uint64_t prev, std::uint64_t prev_term,
                     std::vector<Entry> entries = {}) {
  return {0, Term{term}, LogIndex{prev}, Term{prev_term}, LogIndex{0}, std::move(entries)};
}
Entry entry(std::uint64_t term, EntryKind kind = EntryKind::kCommand, Bytes payload = "p") {
  return {Term{term}, kind, std::move(payload)};
}

}  // namespace

TEST_CASE("messages that no correct server sends are refused") {
  CHECK_FALSE(is_faulty(from_2(append(3, 5, 2, {entry(2), entry(3)}))));
  CHECK(is_faulty({server(0), server(1), append(3, 5, 2)}));
  CHECK(is_faulty({server(1), server(1), append(3, 5, 2)}));
  CHECK(is_faulty({server(2), server(3), append(3, 5, 2)}));
  CHECK(is_faulty(from_2(append(0, 0, 0))));
  CHECK(is_faulty(from_2(append(3, 5, 0))));
  CHECK(is_faulty(from_2(append(3, 0, 2))));
  CHECK(is_faulty(from_2(append(3, 5, 4))));
  CHECK(is_faulty(from_2(append(~0ULL, 5, 4))));
  CHECK(is_faulty(from_2(append(3, ~0ULL, 2))));
  CHECK(is_faulty(from_2(append(3, 5, 2, {entry(1)}))));
  CHECK(is_faulty(from_2(append(3, 5, 2, {entry(3), entry(2)}))));
  CHECK(is_faulty(from_2(append(3, 5, 2, {entry(4)}))));
  CHECK(is_faulty(from_2(append(3, 5, 2, {entry(3, static_cast<EntryKind>(4))}))));
  CHECK(is_faulty(from_2(append(3, 5, 2, {entry(3, EntryKind::kChange)}))));
  CHECK(is_faulty(from_2(append(3, 5, 2, std::vector<Entry>(257, entry(3))))));
  CHECK(is_faulty(
      from_2(append(3, 5, 2, {entry(3, EntryKind::kCommand, Bytes((1 << 20) + 1, 'x'))}))));
  CHECK(is_faulty(from_2(AppendEntriesResult{2, Term{3}, LogIndex{4}, LogIndex{4}, 0, 0})));
  CHECK(is_faulty(from_2(AppendEntriesResult{2, Term{0}, LogIndex{0}, LogIndex{4}, 0, 0})));
  CHECK(is_faulty(from_2(RequestVote{2, Term{3}, server(3), LogIndex{4}, Term{2}, false, false})));
  CHECK(is_faulty(from_2(RequestVote{2, Term{3}, server(2), LogIndex{4}, Term{0}, false, false})));
  CHECK(is_faulty(from_2(RequestVoteResult{})));
  CHECK(is_faulty(from_2(TimeoutNow{0, Term{3}, LogIndex{4}, Term{9}})));
  Snapshot snapshot{{LogIndex{9}, Term{2}, voters(3), LogIndex{1}}, "state"};
  CHECK_FALSE(is_faulty(from_2(InstallSnapshot{0, Term{3}, snapshot})));
  snapshot.meta.configuration_index = LogIndex{10};
  CHECK(is_faulty(from_2(InstallSnapshot{0, Term{3}, snapshot})));
  snapshot.meta.configuration_index = LogIndex{1};
  snapshot.meta.configuration.clear();
  CHECK(is_faulty(from_2(InstallSnapshot{0, Term{3}, snapshot})));
}

TEST_CASE("two servers that claim one term are not both believed") {
  Cluster cluster(ClusterOptions{});
  cluster.start(server(1));
  cluster.deliver(from_2(append(4, 1, 1)));
  REQUIRE(cluster.replica(server(1)).leader() == server(2));
  cluster.deliver({server(3), server(1), append(4, 1, 1, {entry(4)})});
  CHECK(cluster.replica(server(1)).leader() == server(2));
  CHECK(cluster.replica(server(1)).last_index() == LogIndex{1});
  CHECK(cluster.replica(server(1)).counters().malformed == 1);
}

TEST_CASE("R2: a change is always the first entry of its piece, and nothing is lost") {
  const Entry change = entry(3, EntryKind::kChange, encode_configuration(voters(3)));
  const std::vector<Entry> entries{entry(2), entry(3), change, entry(3), change, change, entry(3)};
  const auto pieces = ingress::split(append(3, 7, 2, entries));
  REQUIRE(pieces.size() == 4);
  std::vector<Entry> joined;
  for (const auto& piece : pieces) {
    CHECK(piece.prev_index.value == 7 + joined.size());
    CHECK(piece.prev_term == (joined.empty() ? Term{2} : joined.back().term));
    for (std::size_t i = 1; i < piece.entries.size(); ++i)
      CHECK(piece.entries[i].kind != EntryKind::kChange);
    joined.insert(joined.end(), piece.entries.begin(), piece.entries.end());
  }
  CHECK(joined == entries);
  CHECK(ingress::split(append(3, 7, 2)).size() == 1);  // a heartbeat stays one
}

TEST_CASE("a configuration is read back, and in one spelling only") {
  Configuration configuration = voters(3);
  configuration[1].suffrage = Suffrage::kStandby;
  configuration.push_back({server(1'000'000'007), Suffrage::kSpare});
  const Bytes bytes = encode_configuration(configuration);
  CHECK(bytes.size() % 8 == 0);
  const auto decoded = decode_configuration(bytes);
  REQUIRE(decoded);
  CHECK(*decoded == configuration);
  CHECK(chain::to_hex(encode_configuration(voters(1))) ==
        "010100000000000000"
        "0100000000000000"
        "3100"
        "01"
        "00000000");
  for (std::size_t length = 0; length < bytes.size(); ++length)
    CHECK_FALSE(decode_configuration(chain::ByteView(bytes).substr(0, length)));
  chain::Rng rng(7);
  for (int i = 0; i < 2000; ++i) {
    Bytes broken = bytes;
    broken[rng.below(broken.size())] ^= static_cast<char>(1 + rng.below(255));
    const auto other = decode_configuration(broken);
    if (other) CHECK(encode_configuration(*other) == broken);
  }
}

TEST_CASE("any message in any order leaves a server alive") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    chain::Rng rng(seed);
    ClusterOptions options;
    options.seed = seed;
    Cluster cluster(options);
    cluster.drops = [](const Envelope&) { return true; };
    cluster.start(server(1));
    for (int i = 0; i < 60; ++i) {
      const Term term{rng.below(6)};
      const LogIndex index{rng.below(6)};
      const Term old{rng.below(4)};
      RaftMessage message;
      switch (rng.below(5)) {
        case 0:
          message = RequestVote{2, term, server(2), index, old, rng.chance(1, 2), rng.chance(1, 2)};
          break;
        case 1:
          message = RequestVoteResult{2, term, rng.chance(1, 2), rng.chance(1, 2), 1, 0};
          break;
        case 2:
          message = AppendEntriesResult{2, term, LogIndex{rng.below(6)}, index, 1, 0};
          break;
        case 3:
          message = TimeoutNow{0, term, index, old};
          break;
        default:
          // Beyond the bootstrap entry a log that conflicts with a committed one stops the node,
          // so these leaders agree on an empty log.
          message = append(term.value, 1, 1);
          break;
      }
      cluster.deliver({server(2 + rng.below(2)), server(1), message});
      if (rng.chance(1, 3)) cluster.run_for(milliseconds(rng.between(1, 300)));
    }
    CHECK(cluster.violations().empty());
  }
}

TEST_CASE("the memory store forgets the open turn and keeps the others") {
  MemoryLogStore store;
  store.begin();
  store.save_hard_state({Term{1}, server(0)});
  store.append(LogIndex{1}, {entry(1), entry(1), entry(1), entry(1)});
  store.commit();
  store.begin();
  store.append(LogIndex{3}, {entry(2)});
  store.save_hard_state({Term{2}, server(1)});
  store.save_snapshot({{LogIndex{3}, Term{2}, voters(1), LogIndex{1}}, "s"}, 1);
  CHECK(store.first_index() == LogIndex{3});
  CHECK(store.last_index() == LogIndex{3});
  store.rollback();
  CHECK(store.last_index() == LogIndex{4});
  CHECK(store.first_index() == LogIndex{1});
  CHECK_FALSE(store.snapshot());
  CHECK(store.load().hard_state == HardState{Term{1}, server(0)});
  store.begin();
  store.save_snapshot({{LogIndex{9}, Term{2}, voters(1), LogIndex{1}}, "s"}, 0);
  store.commit();
  CHECK(store.first_index() == LogIndex{10});
  CHECK(store.load().entries.empty());
  CHECK(store.writes() == 2);
}

TEST_CASE("each broken invariant is named") {
  const ServerView sound{server(1),   {Term{3}, server(2)}, Role::kFollower,
                         LogIndex{9}, LogIndex{8},          LogIndex{7}};
  CHECK(check_state(sound).empty());
  CHECK(check_succession(sound, sound, true).empty());
  const auto with = [&sound](auto change) {
    ServerView view = sound;
    change(view);
    return view;
  };
  CHECK(check_state(with([](ServerView& v) { v.applied = LogIndex{9}; })).size() == 1);
  CHECK(check_state(with([](ServerView& v) { v.last = LogIndex{7}; })).size() == 1);
  CHECK(check_state(with([](ServerView& v) {
          v.role = Role::kLeader;
          v.hard_state = {};
        })).size() == 1);
  const auto older = with([](ServerView& v) { v.hard_state.term = Term{2}; });
  CHECK(check_succession(sound, older, false).size() == 1);
  const auto other_vote = with([](ServerView& v) { v.hard_state.voted_for = server(3); });
  CHECK(check_succession(sound, other_vote, false).size() == 1);
  const auto less = with([](ServerView& v) { v.commit = v.applied = LogIndex{6}; });
  CHECK(check_succession(sound, less, true).size() == 2);
  CHECK(check_succession(sound, less, false).empty());
  LeaderHistory history;
  auto leader = with([](ServerView& v) { v.role = Role::kLeader; });
  CHECK(history.observe({leader, sound}).empty());
  CHECK(history.observe({leader}).empty());
  leader.id = server(2);
  CHECK(history.observe({leader}).size() == 1);
}

}  // namespace eventchain::consensus::testing
