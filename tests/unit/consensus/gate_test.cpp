#include <doctest/doctest.h>

#include "cluster.h"

namespace eventchain::consensus::testing {
namespace {

ClusterOptions gated() {
  ClusterOptions options;
  options.is_gated = true;
  return options;
}

}  // namespace

TEST_CASE("the leader that alone holds a body dies and the cluster goes on without the entry") {
  Cluster cluster(gated());
  cluster.start_all();
  const ServerId leader = cluster.elect();
  cluster.run_for(milliseconds(100));
  const auto x = cluster.propose(leader, "X");
  REQUIRE(x);
  cluster.run_for(milliseconds(60));
  for (std::uint64_t i = 1; i <= 3; ++i) {
    if (server(i) == leader) continue;
    CHECK(cluster.replica(server(i)).last_index() < *x);
    const auto held = cluster.replica(server(i)).held_back();
    REQUIRE(held.size() == 1);
    CHECK(held[0].payload == "X");
  }
  CHECK(cluster.replica(leader).commit_index() < *x);
  cluster.crash(leader);
  REQUIRE(cluster.run_until([&] { return cluster.leader().has_value(); }));
  const ServerId next = *cluster.leader();
  for (std::uint64_t i = 1; i <= 3; ++i) cluster.node(server(i)).admission.bodies.insert("Y");
  REQUIRE(cluster.propose(next, "Y"));
  cluster.run_for(milliseconds(100));
  CHECK(cluster.oracle.contains("Y"));
  cluster.start(leader);
  cluster.run_for(milliseconds(500));
  CHECK(cluster.all_applied(cluster.replica(next).last_index()));
  CHECK_FALSE(cluster.oracle.contains("X"));
  CHECK(cluster.violations().empty());
}

TEST_CASE("the admissible prefix passes and the rest follows when its bodies arrive") {
  Cluster cluster(gated());
  cluster.start_all();
  const ServerId leader = cluster.elect();
  cluster.run_for(milliseconds(100));
  const ServerId a = server(leader.value % 3 + 1), b = server(a.value % 3 + 1);
  cluster.crash(b);
  cluster.node(a).admission.bodies.insert("1");
  std::vector<LogIndex> indices;
  for (const char* payload : {"1", "2", "3"})
    indices.push_back(cluster.propose(leader, payload).value());
  std::uint64_t resent = 0;
  cluster.drops = [&](const Envelope& e) {
    const auto* append = std::get_if<AppendEntries>(&e.message);
    if (append != nullptr && e.to == a && !append->entries.empty()) ++resent;
    return false;
  };
  cluster.run_for(milliseconds(2000));
  // Held back for ten election timeouts: the leader neither falls nor floods.
  CHECK(cluster.leader() == leader);
  CHECK(resent <= 3);
  CHECK(cluster.replica(a).last_index() == indices[0]);
  CHECK(cluster.replica(leader).commit_index() == indices[0]);
  CHECK(cluster.replica(a).held_back().size() == 2);
  cluster.give_body(a, "3");
  CHECK(cluster.replica(a).last_index() == indices[0]);
  cluster.give_body(a, "2");
  CHECK(cluster.replica(a).last_index() == indices[2]);
  CHECK(cluster.replica(a).held_back().empty());
  cluster.run_for(milliseconds(10));
  CHECK(cluster.replica(leader).commit_index() == indices[2]);
  CHECK(cluster.violations().empty());
}

TEST_CASE("what an outdated leader's tail holds is forgotten in a newer term") {
  Cluster cluster(gated());
  cluster.start(server(1));
  const Entry unknown{Term{2}, EntryKind::kCommand, "body of nobody"};
  cluster.deliver({server(2), server(1),
                   AppendEntries{0, Term{2}, LogIndex{1}, Term{1}, LogIndex{1}, {unknown}}});
  REQUIRE(cluster.replica(server(1)).held_back().size() == 1);
  cluster.deliver(
      {server(3), server(1), AppendEntries{0, Term{3}, LogIndex{1}, Term{1}, LogIndex{1}, {}}});
  CHECK(cluster.replica(server(1)).held_back().empty());
  cluster.give_body(server(1), unknown.payload);
  CHECK(cluster.replica(server(1)).last_index() == LogIndex{1});
}

TEST_CASE("the tail is bounded and what exceeds it is sent again") {
  Cluster cluster(gated());
  cluster.start_all();
  const ServerId leader = cluster.elect();
  cluster.run_for(milliseconds(100));
  const ServerId a = server(leader.value % 3 + 1), b = server(a.value % 3 + 1);
  std::vector<Bytes> payloads;
  for (int i = 0; i < 12; ++i) payloads.push_back(Bytes(1 << 20, static_cast<char>('a' + i)));
  cluster.node(b).admission.bodies.insert(payloads.begin(), payloads.end());
  for (const auto& payload : payloads) {
    REQUIRE(cluster.propose(leader, payload));
    cluster.run_for(milliseconds(5));
  }
  CHECK(cluster.replica(a).held_back().size() == 8);
  cluster.node(a).admission.bodies.insert(payloads.begin(), payloads.end());
  cluster.give_body(a, payloads[0]);
  CHECK(cluster.run_until([&] { return cluster.all_applied(cluster.replica(b).last_index()); },
                          milliseconds(500)));
  CHECK(cluster.violations().empty());
}

TEST_CASE("a follower far behind installs a snapshot") {
  ClusterOptions options;
  options.snapshot_every = 10;
  Cluster cluster(options);
  cluster.start_all();
  const ServerId leader = cluster.elect();
  const ServerId late = server(leader.value % 3 + 1);
  cluster.crash(late);
  for (int i = 0; i < 50; ++i) {
    REQUIRE(cluster.propose(leader, std::to_string(i)));
    cluster.run_for(milliseconds(5));
  }
  REQUIRE(cluster.node(leader).store.first_index() > LogIndex{20});
  cluster.start(late);
  const LogIndex last = cluster.replica(leader).last_index();
  CHECK(cluster.run_until([&] { return cluster.all_applied(last); }, milliseconds(1000)));
  CHECK(cluster.replica(late).counters().snapshots_installed == 1);
  const auto index = cluster.propose(leader, "after");
  REQUIRE(index);
  CHECK(cluster.run_until([&] { return cluster.all_applied(*index); }, milliseconds(100)));
  // The installed snapshot is durable: a restart continues from it.
  cluster.crash(late);
  cluster.start(late);
  CHECK(cluster.replica(late).applied_index() == *index);
  CHECK(cluster.replica(late).configuration() == voters(3));
  CHECK(cluster.violations().empty());
}

TEST_CASE("a snapshot the state machine cannot take yet waits without being sent over and over") {
  ClusterOptions options;
  options.snapshot_every = 10;
  Cluster cluster(options);
  cluster.start_all();
  const ServerId leader = cluster.elect();
  const ServerId late = server(leader.value % 3 + 1);
  cluster.crash(late);
  for (int i = 0; i < 50; ++i) {
    REQUIRE(cluster.propose(leader, std::to_string(i)));
    cluster.run_for(milliseconds(5));
  }
  cluster.node(late).admission.takes_snapshots = false;
  int sent = 0;
  cluster.drops = [&](const Envelope& e) {
    if (std::holds_alternative<InstallSnapshot>(e.message)) ++sent;
    return false;
  };
  cluster.start(late);
  cluster.run_for(milliseconds(900));
  CHECK(sent == 1);
  REQUIRE(cluster.replica(late).held_back_snapshot());
  CHECK(cluster.replica(late).leader() == leader);
  cluster.node(late).admission.takes_snapshots = true;
  cluster.turn(late, [](Replica& r, const chain::Now& now) { r.reconsider(now); });
  CHECK(cluster.replica(late).counters().snapshots_installed == 1);
  CHECK_FALSE(cluster.replica(late).held_back_snapshot());
  const LogIndex last = cluster.replica(leader).last_index();
  CHECK(cluster.run_until([&] { return cluster.all_applied(last); }, milliseconds(1000)));
  CHECK(cluster.violations().empty());
}

TEST_CASE("many short terms behind a moving snapshot do not confuse the log") {
  ClusterOptions options;
  options.snapshot_every = 1;
  options.snapshot_trailing = 2;
  Cluster cluster(options);
  cluster.start(server(1));
  Term last_term{1};
  std::uint64_t last = 1;
  for (std::uint64_t term = 2; term < 200; term += 2) {
    INFO("term " << term);
    // An entry that is replaced by the next term's, which then is committed.
    const auto append = [&](std::uint64_t at, std::uint64_t commit) {
      const Entry entry{Term{at}, EntryKind::kCommand, std::to_string(at)};
      cluster.deliver(
          {server(2 + at % 2), server(1),
           AppendEntries{0, Term{at}, LogIndex{last}, last_term, LogIndex{commit}, {entry}}});
      REQUIRE(cluster.replica(server(1)).last_index() == LogIndex{last + 1});
    };
    append(term, last);
    append(term + 1, last + 1);
    CHECK(cluster.replica(server(1)).commit_index() == LogIndex{last + 1});
    ++last;
    last_term = Term{term + 1};
  }
  CHECK(cluster.violations().empty());
}

}  // namespace eventchain::consensus::testing
