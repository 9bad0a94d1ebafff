#include <doctest/doctest.h>

#include "cluster.h"
#include "consensus/configuration.h"

namespace eventchain::consensus::testing {
namespace {

bool carries_entries(const Envelope& e) {
  const auto* append = std::get_if<AppendEntries>(&e.message);
  return append != nullptr && !append->entries.empty();
}

ServerId who_leads(Cluster& cluster) {
  ServerId leader;
  const bool is_elected = cluster.run_until([&] {
    for (std::uint64_t i = 1; i <= cluster.options.voters; ++i)
      if (cluster.is_up(server(i)) && cluster.replica(server(i)).role() == Role::kLeader)
        leader = server(i);
    return leader != ServerId{};
  });
  REQUIRE(is_elected);
  return leader;
}

std::vector<ServerId> others(std::uint64_t count, const std::set<ServerId>& without) {
  std::vector<ServerId> result;
  for (std::uint64_t i = 1; i <= count; ++i)
    if (without.count(server(i)) == 0) result.push_back(server(i));
  return result;
}

Entry command(std::uint64_t term, const Bytes& payload) {
  return {Term{term}, EntryKind::kCommand, payload};
}

}  // namespace

TEST_CASE("followers learn of a commit without waiting for a heartbeat") {
  ClusterOptions options;
  options.heartbeat_interval = milliseconds(90);
  Cluster cluster(options);
  cluster.start_all();
  const ServerId leader = cluster.elect();
  cluster.run_for(milliseconds(200));
  const auto index = cluster.propose(leader, "x");
  REQUIRE(index);
  // There, back, and there again, at one millisecond each.
  CHECK(cluster.run_until([&] { return cluster.all_applied(*index); }, milliseconds(4)));
}

TEST_CASE("Figure 8: an entry of an old term is not committed by counting its copies") {
  ClusterOptions options;
  options.voters = 5;
  Cluster cluster(options);
  cluster.start_all();
  // (a) The first leader writes X and only one other server gets it.
  const ServerId s1 = cluster.elect();
  cluster.run_for(milliseconds(100));
  const auto rest = others(5, {s1});
  const ServerId s2 = rest[0];
  cluster.drops = [&](const Envelope& e) { return carries_entries(e) && e.to != s2; };
  const auto x = cluster.propose(s1, "X");
  REQUIRE(x);
  cluster.run_for(milliseconds(5));
  REQUIRE(cluster.replica(s2).last_index() == *x);
  // (b) Both vanish. Another leader of a newer term writes its own entry at that index, alone.
  cluster.crash(s1);
  cluster.crash(s2);
  cluster.drops = carries_entries;
  const ServerId s5 = who_leads(cluster);
  REQUIRE(cluster.replica(s5).last_index() == *x);
  // (c) It vanishes; a server with X leads again, and X spreads to a majority of three.
  cluster.crash(s5);
  cluster.start(s1);
  cluster.start(s2);
  const ServerId s3 = others(5, {s1, s2, s5})[0];
  std::optional<Envelope> last;
  cluster.drops = [&](const Envelope& e) {
    if (!carries_entries(e)) return false;
    if (e.to != s3 || last) return true;
    // What follows X is rejected, until the leader offers X itself.
    if (std::get<AppendEntries>(e.message).prev_index >= *x) return false;
    last = e;
    return true;
  };
  const ServerId again = who_leads(cluster);
  REQUIRE((again == s1 || again == s2));
  REQUIRE(cluster.run_until([&] { return last.has_value(); }));
  auto& append = std::get<AppendEntries>(last->message);
  append.entries.resize(x->value - append.prev_index.value);  // X, without what follows it
  cluster.deliver(*last);
  cluster.run_for(milliseconds(50));
  REQUIRE(cluster.replica(s3).last_index() == *x);
  CHECK(cluster.replica(again).role() == Role::kLeader);
  CHECK(cluster.replica(again).commit_index() < *x);
  // (d) Those with X at their end vanish but one, and the server of the newer term overwrites it.
  cluster.crash(s1);
  cluster.crash(s2);
  cluster.start(s5);
  cluster.drops = nullptr;
  CHECK(cluster.elect() == s5);
  cluster.start_all();
  REQUIRE(cluster.propose(s5, "Y"));
  cluster.run_for(milliseconds(500));
  CHECK(cluster.oracle.contains("Y"));
  CHECK_FALSE(cluster.oracle.contains("X"));
  CHECK(cluster.violations().empty());
}

TEST_CASE("a follower acknowledges only what it has compared with this leader's log") {
  Cluster cluster(ClusterOptions{});
  cluster.start(server(1));
  AppendEntries stale{0, Term{2}, LogIndex{1}, Term{1}, LogIndex{1}, {}};
  for (int i = 0; i < 5; ++i) stale.entries.push_back(command(2, std::to_string(i)));
  cluster.deliver({server(2), server(1), stale});
  REQUIRE(cluster.replica(server(1)).last_index() == LogIndex{6});
  std::vector<AppendEntriesResult> results;
  cluster.drops = [&](const Envelope& e) {
    if (const auto* r = std::get_if<AppendEntriesResult>(&e.message)) results.push_back(*r);
    return true;
  };
  cluster.deliver(
      {server(3), server(1), AppendEntries{0, Term{3}, LogIndex{1}, Term{1}, LogIndex{6}, {}}});
  REQUIRE(results.size() == 1);
  CHECK(results[0].rejected == LogIndex{0});
  CHECK(results[0].last_log_index == LogIndex{1});
  CHECK(cluster.replica(server(1)).commit_index() == LogIndex{1});
}

TEST_CASE("R1: entries below the compacted prefix are cut off and acknowledged") {
  ClusterOptions options;
  options.snapshot_every = 5;
  options.snapshot_trailing = 1;
  Cluster cluster(options);
  cluster.start_all();
  const ServerId leader = cluster.elect();
  std::vector<Entry> old;
  cluster.drops = [&](const Envelope& e) {
    const auto* append = std::get_if<AppendEntries>(&e.message);
    if (append != nullptr && append->prev_index.value == old.size() + 1)
      old.insert(old.end(), append->entries.begin(), append->entries.end());
    return false;
  };
  for (int i = 0; i < 20; ++i) {
    REQUIRE(cluster.propose(leader, std::to_string(i)));
    cluster.run_for(milliseconds(5));
  }
  const ServerId follower = server(leader.value % 3 + 1);
  REQUIRE(cluster.node(follower).store.first_index() > LogIndex{10});
  const LogIndex last = cluster.replica(follower).last_index();
  old.insert(old.begin(), {Term{1}, EntryKind::kChange, encode_configuration(voters(3))});
  std::optional<AppendEntriesResult> result;
  cluster.drops = [&](const Envelope& e) {
    result = std::get<AppendEntriesResult>(e.message);
    return true;
  };
  const auto before = cluster.replica(follower).counters().trimmed;
  cluster.deliver(
      {leader, follower,
       AppendEntries{0, cluster.replica(leader).term(), LogIndex{0}, Term{0}, LogIndex{3}, old}});
  CHECK(cluster.replica(follower).counters().trimmed == before + 1);
  CHECK(cluster.replica(follower).last_index() == last);
  REQUIRE(result);
  CHECK(result->rejected == LogIndex{0});
  CHECK(result->last_log_index == last);
  cluster.drops = nullptr;
  const auto index = cluster.propose(leader, "goes on");
  REQUIRE(index);
  CHECK(cluster.run_until([&] { return cluster.all_applied(*index); }, milliseconds(500)));
  CHECK(cluster.violations().empty());
}

TEST_CASE("R2: a configuration change in the middle of a batch is noticed as committed") {
  ClusterOptions options;
  options.spectators = 2;
  Cluster cluster(options);
  cluster.start_all();
  const ServerId leader = cluster.elect();
  cluster.run_for(milliseconds(100));
  const ServerId late = server(leader.value % 3 + 1);
  cluster.isolate(late);
  REQUIRE(cluster.propose(leader, "before"));
  Configuration wanted = voters(3);
  wanted.push_back({server(4), Suffrage::kStandby});
  cluster.turn(leader, [&](Replica& r, const chain::Now& now) { REQUIRE(r.change(wanted, now)); });
  REQUIRE(cluster.propose(leader, "after"));
  cluster.run_for(milliseconds(100));
  cluster.heal();
  const LogIndex last = cluster.replica(leader).last_index();
  REQUIRE(cluster.run_until([&] { return cluster.replica(late).applied_index() == last; }));
  CHECK(cluster.replica(late).counters().split >= 1);
  // A change that is never marked as committed would forbid the next one.
  cluster.turn(leader, [&](Replica& r, const chain::Now& now) { REQUIRE(r.transfer(late, now)); });
  REQUIRE(cluster.run_until([&] { return cluster.leader() == late; }));
  wanted.push_back({server(5), Suffrage::kStandby});
  cluster.turn(late, [&](Replica& r, const chain::Now& now) { CHECK(r.change(wanted, now)); });
  cluster.run_for(milliseconds(500));
  for (std::uint64_t i = 1; i <= 5; ++i)
    CHECK(cluster.replica(server(i)).configuration() == wanted);
  CHECK(cluster.violations().empty());
}

TEST_CASE("R3: a stale rejection does not stop replication") {
  Cluster cluster(ClusterOptions{});
  cluster.start_all();
  const ServerId leader = cluster.elect();
  cluster.run_for(milliseconds(100));
  const ServerId follower = server(leader.value % 3 + 1);
  const LogIndex match = cluster.replica(follower).last_index();
  for (std::uint64_t rejected = 1; rejected <= match.value; ++rejected)
    cluster.deliver({follower, leader,
                     AppendEntriesResult{2, cluster.replica(leader).term(), LogIndex{rejected},
                                         LogIndex{rejected - 1}, 1, 0}});
  CHECK(cluster.replica(leader).counters().stale_rejections == match.value);
  const auto index = cluster.propose(leader, "x");
  REQUIRE(index);
  CHECK(cluster.run_until([&] { return cluster.all_applied(*index); }, milliseconds(5)));
}

TEST_CASE("a crash between turns loses exactly the open turn") {
  Cluster cluster(ClusterOptions{});
  cluster.start_all();
  const ServerId leader = cluster.elect();
  const auto kept = cluster.propose(leader, "kept");
  REQUIRE(kept);
  cluster.run_for(milliseconds(50));
  const LogIndex last = cluster.node(leader).store.last_index();
  cluster.node(leader).loses_next_turn = true;
  CHECK(cluster.propose(leader, "lost").has_value());
  CHECK_FALSE(cluster.is_up(leader));
  CHECK(cluster.node(leader).store.last_index() == last);
  CHECK(cluster.node(leader).machine.applied() >= *kept);
  cluster.start(leader);
  const ServerId next = cluster.elect();
  REQUIRE(cluster.propose(next, "goes on"));
  cluster.run_for(milliseconds(500));
  CHECK(cluster.oracle.contains("kept"));
  CHECK(cluster.oracle.contains("goes on"));
  CHECK_FALSE(cluster.oracle.contains("lost"));
  CHECK(cluster.violations().empty());
}

TEST_CASE("after a restart the commit index is not behind what is applied") {
  Cluster cluster(ClusterOptions{});
  cluster.start_all();
  const ServerId leader = cluster.elect();
  for (int i = 0; i < 10; ++i) REQUIRE(cluster.propose(leader, std::to_string(i)));
  cluster.run_for(milliseconds(50));
  const ServerId follower = server(leader.value % 3 + 1);
  const LogIndex applied = cluster.replica(follower).applied_index();
  cluster.crash(follower);
  cluster.start(follower);
  CHECK(cluster.replica(follower).applied_index() == applied);
  CHECK(cluster.replica(follower).commit_index() == applied);
  CHECK(cluster.violations().empty());
}

TEST_CASE("what is too much for one message goes in several") {
  Cluster cluster(ClusterOptions{});
  cluster.start_all();
  const ServerId leader = cluster.elect();
  cluster.run_for(milliseconds(50));
  const ServerId late = server(leader.value % 3 + 1);
  cluster.crash(late);
  for (int i = 0; i < 8; ++i) {
    REQUIRE(cluster.propose(leader, Bytes(400'000, static_cast<char>('a' + i))));
    cluster.run_for(milliseconds(2));
  }
  for (int i = 0; i < 600; ++i) {
    REQUIRE(cluster.propose(leader, std::to_string(i)));
    cluster.run_for(milliseconds(2));
  }
  std::size_t most_bytes = 0, most_entries = 0;
  cluster.drops = [&](const Envelope& e) {
    if (!carries_entries(e)) return false;
    const auto& append = std::get<AppendEntries>(e.message);
    std::size_t bytes = 0;
    for (const auto& entry : append.entries) bytes += entry.payload.size();
    most_bytes = std::max(most_bytes, bytes);
    most_entries = std::max(most_entries, append.entries.size());
    return false;
  };
  cluster.start(late);
  const LogIndex last = cluster.replica(leader).last_index();
  CHECK(cluster.run_until([&] { return cluster.all_applied(last); }, milliseconds(500)));
  CHECK(most_bytes <= std::size_t{1} << 20);
  CHECK(most_bytes > 400'000);
  CHECK(most_entries <= 256);
  CHECK(cluster.propose(leader, Bytes((1 << 20) + 1, 'x')).error().code ==
        chain::ErrorCode::kTooLarge);
}

}  // namespace eventchain::consensus::testing
