#include <doctest/doctest.h>

#include "cluster.h"

namespace eventchain::consensus::testing {
namespace {

// What a server answers to one message.
std::vector<Envelope> answers(Cluster& cluster, const Envelope& envelope) {
  std::vector<Envelope> sent;
  cluster.drops = [&sent](const Envelope& e) {
    sent.push_back(e);
    return true;
  };
  cluster.deliver(envelope);
  cluster.drops = nullptr;
  return sent;
}

bool grants(Cluster& cluster, const Envelope& request) {
  const auto sent = answers(cluster, request);
  REQUIRE(sent.size() == 1);
  return std::get<RequestVoteResult>(sent.front().message).granted;
}

RequestVote request(std::uint64_t term, ServerId candidate, LogIndex last, Term last_term) {
  return {2, Term{term}, candidate, last, last_term, false, false};
}

}  // namespace

TEST_CASE("an only voter leads at once and commits within the turn of the proposal") {
  ClusterOptions options;
  options.voters = 1;
  Cluster cluster(options);
  cluster.start_all();
  REQUIRE(cluster.leader() == server(1));
  const auto index = cluster.propose(server(1), "x");
  REQUIRE(index);
  CHECK(cluster.replica(server(1)).applied_index() == *index);
  CHECK(cluster.violations().empty());
}

TEST_CASE("an only voter opens a new term each time it starts") {
  ClusterOptions options;
  options.voters = 1;
  Cluster cluster(options);
  cluster.start_all();
  const Term first = cluster.replica(server(1)).term();
  cluster.crash(server(1));
  cluster.start(server(1));
  CHECK(cluster.replica(server(1)).term() > first);
  CHECK(cluster.replica(server(1)).is_ready());
  CHECK(cluster.violations().empty());
}

TEST_CASE("three servers elect one leader and everybody knows it") {
  Cluster cluster(ClusterOptions{});
  cluster.start_all();
  const ServerId leader = cluster.elect();
  cluster.run_for(milliseconds(100));
  for (std::uint64_t i = 1; i <= 3; ++i) CHECK(cluster.replica(server(i)).leader() == leader);
  CHECK(cluster.elections() == 1);
  CHECK(cluster.violations().empty());
}

TEST_CASE("a vote is kept over a restart") {
  Cluster cluster(ClusterOptions{});
  cluster.start(server(1));
  const LogIndex last{1};
  const Term term{1};
  CHECK(grants(cluster, {server(2), server(1), request(5, server(2), last, term)}));
  cluster.crash(server(1));
  cluster.start(server(1));
  CHECK_FALSE(grants(cluster, {server(3), server(1), request(5, server(3), last, term)}));
  CHECK(grants(cluster, {server(2), server(1), request(5, server(2), last, term)}));
  CHECK(cluster.violations().empty());
}

TEST_CASE("a vote given in a turn that is lost was never heard and is not remembered") {
  Cluster cluster(ClusterOptions{});
  cluster.start(server(1));
  cluster.node(server(1)).loses_next_turn = true;
  CHECK(answers(cluster, {server(2), server(1), request(5, server(2), LogIndex{1}, Term{1})})
            .empty());
  cluster.start(server(1));
  CHECK(grants(cluster, {server(3), server(1), request(5, server(3), LogIndex{1}, Term{1})}));
}

TEST_CASE("a server that was cut off and returns does not depose the leader") {
  Cluster cluster(ClusterOptions{});
  cluster.start_all();
  const ServerId leader = cluster.elect();
  const Term term = cluster.replica(leader).term();
  const ServerId lonely = server(leader.value % 3 + 1);
  cluster.isolate(lonely);
  cluster.run_for(milliseconds(5000));
  CHECK(cluster.replica(lonely).role() == Role::kCandidate);
  CHECK(cluster.replica(lonely).term() == term);
  cluster.heal();
  cluster.run_for(milliseconds(2000));
  CHECK(cluster.leader() == leader);
  CHECK(cluster.replica(leader).term() == term);
  CHECK(cluster.replica(lonely).leader() == leader);
}

TEST_CASE(
    "voters whose links to a dead leader broke elect another well before an election timeout") {
  int quick = 0;
  constexpr int kSeeds = 40;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    INFO("seed ", seed);
    ClusterOptions options;
    options.seed = seed;
    options.voters = seed % 2 == 0 ? 3 : 5;
    Cluster cluster(options);
    cluster.start_all();
    const ServerId old = cluster.elect();
    cluster.run_for(milliseconds(100));
    cluster.crash(old);
    for (std::uint64_t i = 1; i <= options.voters; ++i)
      cluster.turn(server(i), [&](Replica& r, const chain::Now& now) { r.link_lost(old, now); });
    const chain::Instant since = cluster.now();
    REQUIRE(cluster.run_until([&] { return cluster.leader() && *cluster.leader() != old; }));
    quick += cluster.now() - since < options.election_timeout ? 1 : 0;
    CHECK(cluster.violations().empty());
  }
  // Two that stand within one message of each other can split the votes and have to wait.
  CHECK(quick >= kSeeds * 8 / 10);
}

TEST_CASE("a link that broke deposes no leader whom the others hear, nor one that is heard again") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed ", seed);
    ClusterOptions options;
    options.seed = seed;
    Cluster cluster(options);
    cluster.start_all();
    const ServerId leader = cluster.elect();
    cluster.run_for(milliseconds(100));
    const Term term = cluster.replica(leader).term();
    const auto lose = [&](ServerId at) {
      cluster.turn(at, [&](Replica& r, const chain::Now& now) { r.link_lost(leader, now); });
    };
    // One link, for good: its voter stands again and again, and is refused.
    const ServerId lonely = server(leader.value % 3 + 1);
    cluster.cut(lonely, leader);
    lose(lonely);
    CHECK_FALSE(cluster.replica(lonely).leader().has_value());
    cluster.run_for(milliseconds(3000));
    CHECK(cluster.leader() == leader);
    CHECK(cluster.replica(leader).term() == term);
    // All of them, for a moment.
    cluster.heal();
    cluster.run_for(milliseconds(500));
    for (std::uint64_t i = 1; i <= 3; ++i) lose(server(i));
    cluster.run_for(milliseconds(1000));
    CHECK(cluster.leader() == leader);
    CHECK(cluster.replica(leader).term() == term);
    CHECK(cluster.replica(lonely).leader() == leader);
    CHECK(cluster.violations().empty());
  }
}

TEST_CASE("a leader that reaches no majority steps down") {
  Cluster cluster(ClusterOptions{});
  cluster.start_all();
  const ServerId leader = cluster.elect();
  cluster.isolate(leader);
  cluster.run_for(3 * cluster.options.election_timeout);
  CHECK(cluster.replica(leader).role() != Role::kLeader);
  CHECK_FALSE(cluster.propose(leader, "x").has_value());
  CHECK(cluster.violations().empty());
}

TEST_CASE("R4: a leader neither proposes nor changes before it has committed in its own term") {
  Cluster cluster(ClusterOptions{});
  cluster.drops = [](const Envelope& e) {
    return std::holds_alternative<AppendEntriesResult>(e.message);
  };
  cluster.start_all();
  ServerId leader;
  REQUIRE(cluster.run_until([&] {
    for (std::uint64_t i = 1; i <= 3; ++i)
      if (cluster.replica(server(i)).role() == Role::kLeader) leader = server(i);
    return leader != ServerId{};
  }));
  CHECK_FALSE(cluster.replica(leader).is_ready());
  const auto refused = cluster.propose(leader, "too early");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == chain::ErrorCode::kUnavailable);
  cluster.turn(leader, [](Replica& r, const chain::Now& now) {
    CHECK(r.change({{server(1), Suffrage::kVoter}, {server(2), Suffrage::kVoter}}, now)
              .error()
              .code == chain::ErrorCode::kUnavailable);
    CHECK(r.transfer(server(1), now).error().code == chain::ErrorCode::kUnavailable);
  });
  cluster.drops = nullptr;
  REQUIRE(cluster.run_until([&] { return cluster.leader().has_value(); }));
  CHECK(cluster.propose(*cluster.leader(), "now").has_value());
}

TEST_CASE("R5: a candidate of an old term learns the newer one from those who refuse it") {
  Cluster cluster(ClusterOptions{});
  cluster.start(server(1));
  // A vote request of term 9 raises the term; the candidate's log is empty, so it gets no vote.
  CHECK_FALSE(grants(cluster, {server(2), server(1), request(9, server(2), LogIndex{}, Term{})}));
  RequestVote pre_vote = request(3, server(3), LogIndex{40}, Term{2});
  pre_vote.pre_vote = true;
  const auto sent = answers(cluster, {server(3), server(1), pre_vote});
  REQUIRE(sent.size() == 1);
  const auto& result = std::get<RequestVoteResult>(sent.front().message);
  CHECK_FALSE(result.granted);
  CHECK(result.term == Term{9});
}

TEST_CASE("R6: a standby votes for a candidate whose log has promoted it") {
  ClusterOptions options;
  options.voters = 1;
  options.spectators = 1;
  Cluster cluster(options);
  cluster.start_all();
  const auto add = [&cluster](Suffrage suffrage) {
    cluster.turn(server(1), [suffrage](Replica& r, const chain::Now& now) {
      REQUIRE(r.change({{server(1), Suffrage::kVoter}, {server(2), suffrage}}, now));
    });
  };
  add(Suffrage::kStandby);
  cluster.run_for(milliseconds(500));
  REQUIRE(cluster.replica(server(2)).configuration().size() == 2);
  // The promotion is in the leader's log alone when the leader restarts: it now needs the vote of a
  // server that does not know of its vote.
  cluster.isolate(server(2));
  add(Suffrage::kVoter);
  cluster.crash(server(1));
  cluster.heal();
  cluster.start(server(1));
  CHECK(cluster.run_until([&] { return cluster.leader().has_value(); }));
  CHECK(cluster.violations().empty());
}

TEST_CASE(
    "R7: a voter that is being demoted stands for election while nobody else has the change") {
  ClusterOptions options;
  options.voters = 4;
  Cluster cluster(options);
  cluster.start_all();
  const ServerId leader = cluster.elect();
  cluster.run_for(milliseconds(100));
  const ServerId demoted = server(leader.value % 4 + 1);
  Configuration wanted = voters(4);
  for (Server& one : wanted)
    if (one.id == demoted) one.suffrage = Suffrage::kStandby;
  // The change could reach the demoted one alone, and then its leader is lost.
  cluster.drops = [&](const Envelope& envelope) {
    return envelope.from == leader && envelope.to != demoted;
  };
  const LogIndex before = cluster.replica(leader).last_index();
  cluster.turn(leader, [&](Replica& r, const chain::Now& now) { REQUIRE(r.change(wanted, now)); });
  cluster.run_for(milliseconds(60));
  CHECK(cluster.replica(leader).last_index() > before);
  CHECK(cluster.replica(demoted).last_index() == before);
  cluster.crash(leader);
  cluster.drops = nullptr;
  // Three of the four that were voters.
  CHECK(cluster.run_until([&] { return cluster.leader().has_value(); }));

  // Committed, it is told to the demoted one like every other entry.
  cluster.start(leader);
  const ServerId next = *cluster.leader();
  const ServerId other = server(next.value % 4 + 1);
  wanted = voters(4);
  for (Server& one : wanted)
    if (one.id == other) one.suffrage = Suffrage::kStandby;
  cluster.turn(next, [&](Replica& r, const chain::Now& now) { REQUIRE(r.change(wanted, now)); });
  CHECK(cluster.run_until([&] { return cluster.replica(other).configuration() == wanted; }));
  CHECK(cluster.violations().empty());
}

TEST_CASE("leadership is transferred under load without losing what was committed") {
  Cluster cluster(ClusterOptions{});
  cluster.start_all();
  const ServerId from = cluster.elect();
  const ServerId to = server(from.value % 3 + 1);
  std::vector<Bytes> accepted;
  for (int i = 0; i < 100; ++i) {
    if (i == 50)
      cluster.turn(from, [to](Replica& r, const chain::Now& now) { REQUIRE(r.transfer(to, now)); });
    const Bytes payload = "command " + std::to_string(i);
    if (const auto leader = cluster.leader(); leader && cluster.propose(*leader, payload))
      accepted.push_back(payload);
    cluster.run_for(milliseconds(1));
  }
  REQUIRE(cluster.run_until([&] { return cluster.leader() == to; }));
  cluster.run_for(milliseconds(100));
  CHECK(accepted.size() > 60);
  // Nothing failed here, so a transfer loses nothing that was accepted.
  for (const auto& payload : accepted) CHECK(cluster.oracle.contains(payload));
  CHECK(cluster.all_applied(cluster.replica(to).last_index()));
  CHECK(cluster.violations().empty());
}

TEST_CASE("a leader hands over before it is removed, and disturbs nobody afterwards") {
  Cluster cluster(ClusterOptions{});
  cluster.start_all();
  const ServerId first = cluster.elect();
  Configuration rest;
  for (const auto& s : voters(3))
    if (s.id != first) rest.push_back(s);
  cluster.turn(first, [&](Replica& r, const chain::Now& now) {
    CHECK(r.change(rest, now).error().code == chain::ErrorCode::kInvalid);
    REQUIRE(r.transfer(rest[0].id, now));
  });
  REQUIRE(cluster.run_until([&] { return cluster.leader() == rest[0].id; }));
  cluster.turn(rest[0].id,
               [&](Replica& r, const chain::Now& now) { REQUIRE(r.change(rest, now)); });
  cluster.run_for(milliseconds(100));
  const Term term = cluster.replica(rest[0].id).term();
  REQUIRE(cluster.propose(rest[0].id, "without it"));
  cluster.run_for(milliseconds(5000));
  CHECK(cluster.oracle.contains("without it"));
  CHECK(cluster.leader() == rest[0].id);
  CHECK(cluster.replica(rest[0].id).term() == term);
  CHECK(cluster.violations().empty());
}

TEST_CASE("only single, sound steps of the configuration are taken") {
  ClusterOptions options;
  options.spectators = 2;
  Cluster cluster(options);
  cluster.start_all();
  const ServerId leader = cluster.elect();
  const auto code = [&](const Configuration& wanted) {
    std::optional<chain::ErrorCode> found;
    cluster.turn(leader, [&](Replica& r, const chain::Now& now) {
      if (const auto done = r.change(wanted, now); !done) found = done.error().code;
    });
    return found;
  };
  Configuration swapped = voters(2);
  swapped.push_back({server(4), Suffrage::kVoter});
  CHECK(code(swapped) == chain::ErrorCode::kInvalid);  // one out and one in are two steps
  CHECK(code({}) == chain::ErrorCode::kInvalid);
  CHECK(code({{server(2), Suffrage::kVoter}, {server(1), Suffrage::kVoter}}) ==
        chain::ErrorCode::kInvalid);
  CHECK(code(voters(3)) == chain::ErrorCode::kInvalid);  // nothing changes
  CHECK_FALSE(code(voters(4)));
  CHECK(code(voters(5)) == chain::ErrorCode::kUnavailable);  // the last one is not committed
  cluster.run_for(milliseconds(200));
  CHECK_FALSE(code(voters(5)));
  cluster.run_for(milliseconds(500));
  CHECK(cluster.all_applied(cluster.replica(leader).last_index()));
  CHECK(cluster.violations().empty());
}

}  // namespace eventchain::consensus::testing
