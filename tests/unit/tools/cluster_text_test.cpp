#include "tools/eventchain/cluster_text.h"

#include <doctest/doctest.h>

#include "tests/unit/tools/cluster_answers.h"
#include "tools/eventchain/cluster_rates.h"

using namespace cluster_test;

TEST_CASE("the table shows a node a row, and drops columns until it fits") {
  Answers answers;
  answers.silence(3, "Connection refused");
  for (const int other : {1, 2, 4}) answers.peer(other, 3)["linked"] = false;
  answers.of(4)["height"] = "98";
  answers.of(4)["mining"] = json::object{{"state", "off"}, {"why", "threads is 0"}};
  answers.of(2)["drain"] = json::object{{"state", "drained"}};
  const ClusterView view = view_cluster(answers.polled());
  CHECK(
      nodes_text(view, {}) ==
      "NODE  ROLE      STATE      SITE  VERSION  HEIGHT  LAG  PEERS  RATE       LENT  MINING      "
      "DISK FREE  CERT  CLOCK\n"
      "n1    leader    ok         east  1.2.3    100     0    2/3    12.5 MH/s  25 %  lends: cap  "
      "100 GiB    10 d  +0.0 s\n"
      "n2    voter     drained    east  1.2.3    100     0    2/3    12.5 MH/s  25 %  lends: cap  "
      "100 GiB    10 d  +0.0 s\n"
      "n3    voter     no answer  west  -        100?    -    -      -          -     -           "
      "-          -     -\n"
      "n4    observer  ok         east  1.2.3    98      2    2/3    -          -     off         "
      "100 GiB    10 d  +0.0 s\n");
  CHECK(nodes_text(view, {80, false}) ==
        "NODE  ROLE      STATE      HEIGHT  LAG  PEERS  DISK FREE  CERT  CLOCK\n"
        "n1    leader    ok         100     0    2/3    100 GiB    10 d  +0.0 s\n"
        "n2    voter     drained    100     0    2/3    100 GiB    10 d  +0.0 s\n"
        "n3    voter     no answer  100?    -    -      -          -     -\n"
        "n4    observer  ok         98      2    2/3    100 GiB    10 d  +0.0 s\n");
  CHECK(nodes_text(view, {10, false}).starts_with("NODE  ROLE      STATE\nn1"));
  const std::string wide = nodes_text(view, {10, true});
  CHECK(wide.find("https://10.0.0.1:8100") != std::string::npos);
  CHECK(wide.find("all that the cap allows") != std::string::npos);
}

TEST_CASE("warnings come with what to do, and the cluster in a line") {
  Answers answers;
  answers.silence(2, "no answer in time");
  const ClusterView view = view_cluster(answers.polled());
  CHECK(warnings_text(view) ==
        "critical: n2: https://10.0.0.2:8100 gives no answer: no answer in time; n1, n3 and n4 "
        "still linked with it\n"
        "    its peers reach it, or did a moment ago: see whether it is frozen or overloaded, and "
        "what is between here and its API\n");
  CHECK(cluster_line(view) ==
        "orders: n1 leads in term 7; 3 of 3 voters in touch, 2 needed; height 100, final 99; 5000 "
        "events, 12 pending; 37.5 MH/s; feature level 1\n");
  CHECK(cluster_line(view_cluster({})).starts_with("no node answers: no leader; 0 of 0 voters"));
}

TEST_CASE("a node cannot order the terminal about") {
  Answers answers;
  answers.of(2)["version"] = "1\x1b[2J";
  answers.of(2)["chain_name"] = "\x1b]0;title\a";
  answers.of(2)["warnings"] = json::array{json::object{{"code", "\x1b"},
                                                       {"severity", "warning\r"},
                                                       {"text", "all is well\x1b[1A"},
                                                       {"remedy", "none\x7f"}}};
  const ClusterView view = view_cluster(answers.polled());
  for (const std::string& text :
       {nodes_text(view, {0, true}), warnings_text(view), cluster_line(view)})
    for (const char c : text) CHECK((c == '\n' || (c >= ' ' && c != '\x7f')));
}

TEST_CASE("programs get all of it") {
  Answers answers;
  answers.silence(3, "Connection refused");
  answers.of(1)["time"] = node::api::rfc3339({kNow + 1500});
  const json::value all = cluster_json(view_cluster(answers.polled()));
  CHECK(all.at_pointer("/cluster/ready").as_bool());
  CHECK(all.at_pointer("/cluster/leader").as_string() == "n1");
  CHECK(all.at_pointer("/cluster/height").as_string() == "100");
  CHECK(all.at_pointer("/nodes/0/clock_ahead_ms").as_int64() == 1500);
  CHECK(all.at_pointer("/nodes/0/report/height").as_string() == "100");
  CHECK_FALSE(all.at_pointer("/nodes/2/answers").as_bool());
  CHECK(all.at_pointer("/nodes/2/trouble").as_string() == "Connection refused");
  CHECK(all.at_pointer("/nodes/2/last_height").as_string() == "100");
  CHECK(all.at_pointer("/warnings/0/code").as_string() == "unreachable");
  CHECK(all.at_pointer("/warnings/0/node").as_string() == "n3");
}

TEST_CASE("sizes are told in the unit that fits") {
  CHECK(bytes_text(0) == "0 B");
  CHECK(bytes_text(1023) == "1023 B");
  CHECK(bytes_text(1024) == "1.0 KiB");
  CHECK(bytes_text(1'048'575) == "1.0 MiB");
  CHECK(bytes_text(std::uint64_t{150} << 30) == "150 GiB");
  CHECK(bytes_text(std::uint64_t{5000} << 40) == "5000 TiB");
}

TEST_CASE("rates are what counters did between two looks") {
  using std::chrono::milliseconds;
  Answers answers;
  ClusterRates rates;
  // The first look has nothing to compare with.
  const std::string first = rates.table_of(view_cluster(answers.polled()), milliseconds(1000), {});
  CHECK(first.find("-     -       -") != std::string::npos);
  answers.of(1)["counters"] = json::object{
      {"events_received", "140"}, {"events_completed", "5300"}, {"blocks_committed", "101"}};
  // This one restarted, that one is gone.
  answers.of(2)["counters"] = json::object{{"events_received", "3"}};
  answers.of(1)["in_work"] = json::object{{"shares_found", 4}, {"shares_needed", 16}};
  answers.silence(3, "no answer in time");
  CHECK(
      rates.table_of(view_cluster(answers.polled()), milliseconds(3000), {}) ==
      " NODE  HEIGHT             LAG  IN/S  DONE/S  BLOCKS/S  PENDING  RATE       LENT  OTHERS  "
      "SHARES\n"
      "*n1    100                0    50.0  150.0   0.5       12       12.5 MH/s  25 %  10 %    "
      "[##......] 4/16\n"
      " n2    100                0    -     -       -         11       12.5 MH/s  25 %  10 %    -\n"
      " n3    no answer in time  -    -     -       -         -        -          -     -       -\n"
      " n4    100                0    0.0   0.0     0.0       11       12.5 MH/s  25 %  10 %    "
      "-\n");
  const std::string narrow =
      rates.table_of(view_cluster(answers.polled()), milliseconds(4000), {20, false});
  CHECK(narrow.substr(0, narrow.find('\n')).size() == 20);
}
