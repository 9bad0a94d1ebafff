#include "tools/eventchain/cluster_view.h"

#include <doctest/doctest.h>

#include "tests/unit/tools/cluster_answers.h"

using namespace cluster_test;

namespace {

// "severity code node" of each.
std::vector<std::string> found(const ClusterView& view) {
  std::vector<std::string> lines;
  for (const ClusterWarning& warning : view.warnings) {
    CHECK_FALSE(warning.text.empty());
    CHECK_FALSE(warning.remedy.empty());
    lines.push_back(warning.severity + " " + warning.code +
                    (warning.node.empty() ? "" : " " + warning.node));
  }
  return lines;
}

using Lines = std::vector<std::string>;

const NodeView& row_of(const ClusterView& view, const std::string& name) {
  for (const NodeView& one : view.nodes)
    if (one.name == name) return one;
  FAIL("no node ", name);
  return view.nodes.front();
}

}  // namespace

TEST_CASE("a cluster that is well is summed up, and nothing is said of it") {
  const ClusterView view = view_cluster(Answers().polled());
  CHECK(found(view).empty());
  CHECK_FALSE(view.has_warnings());
  CHECK(view.nodes.size() == 4);
  CHECK(view.is_ready);
  CHECK(view.leader == "n1");
  CHECK(view.term == "7");
  CHECK(view.voters == 3);
  CHECK(view.voters_in_touch == 3);
  CHECK(view.majority() == 2);
  CHECK(view.height == 100);
  CHECK(view.certified == 99);
  CHECK(view.pending == 12);
  CHECK(view.hash_rate == 50e6);
  CHECK(row_of(view, "n3").site == "west");
  CHECK(row_of(view, "n3").endpoint == "https://10.0.0.3:8100");
  CHECK(row_of(view, "n3").clock_ahead == std::chrono::milliseconds(0));
}

TEST_CASE("a host that is gone is told with what the others say of it") {
  Answers answers;
  answers.silence(3, "Connection refused");
  for (const int other : {1, 2, 4}) answers.peer(other, 3)["linked"] = false;
  answers.warn(1, "peer-unlinked", "warning", "n3");
  answers.warn(2, "peer-unlinked", "warning", "n3");
  const ClusterView view = view_cluster(answers.polled());
  // Not three times: the missing links go without saying.
  CHECK(found(view) == Lines{"critical unreachable n3", "warning thin-quorum"});
  CHECK(view.warnings[0].text ==
        "https://10.0.0.3:8100 gives no answer: Connection refused; no link from n1, n2 and n4");
  CHECK(view.is_ready);
  CHECK(view.voters_in_touch == 2);
  CHECK(row_of(view, "n3").last_height == 100);
  CHECK_FALSE(row_of(view, "n3").answers());
}

TEST_CASE("a host that hangs is told from one that is gone") {
  Answers answers;
  answers.silence(3, "no answer in time");
  const ClusterView view = view_cluster(answers.polled());
  CHECK(found(view) == Lines{"critical unreachable n3"});
  CHECK(view.warnings[0].text ==
        "https://10.0.0.3:8100 gives no answer: no answer in time; n1, n2 and n4 still linked "
        "with it");
  CHECK(view.voters_in_touch == 3);
}

TEST_CASE("a missing observer is no matter of life and death") {
  Answers answers;
  answers.silence(4, "Connection refused");
  CHECK(found(view_cluster(answers.polled())) == Lines{"warning unreachable n4"});
}

TEST_CASE("when the leader is gone the others tell which voters are left") {
  Answers answers;
  answers.silence(1, "no answer in time");
  ClusterView view = view_cluster(answers.polled());
  CHECK(view.is_ready);
  CHECK(view.leader == "n1");
  CHECK(view.voters_in_touch == 3);
  for (const int other : {2, 3, 4}) {
    answers.of(other)["ready"] = false;
    answers.of(other).erase("leader");
    answers.warn(other, "no-leader", "critical");
  }
  view = view_cluster(answers.polled());
  CHECK_FALSE(view.is_ready);
  CHECK(view.leader.empty());
  CHECK(view.voters_in_touch == 2);
  CHECK(found(view).front() == "critical no-leader");
}

TEST_CASE("a node without a vote that a lonely voter is linked with makes no quorum") {
  Answers answers;
  answers.silence(1, "no answer in time");
  answers.silence(2, "no answer in time");
  answers.of(3)["ready"] = false;
  answers.of(3).erase("leader");
  answers.of(4).erase("leader");
  CHECK_FALSE(view_cluster(answers.polled()).is_ready);
  answers.silence(3, "no answer in time");  // then its word is all there is
  CHECK(view_cluster(answers.polled()).is_ready);
}

TEST_CASE("a node cut off that can still be asked is what the missing links are about") {
  Answers answers;
  answers.cut(3, 1);
  answers.cut(3, 2);
  answers.of(3)["ready"] = false;
  answers.of(3).erase("leader");
  answers.of(3)["height"] = "90";
  answers.warn(3, "no-leader", "critical");
  const ClusterView view = view_cluster(answers.polled());
  CHECK(found(view) == Lines{"critical no-leader n3", "warning thin-quorum",
                             "warning peer-unlinked n3", "warning behind n3"});
  CHECK(view.warnings[2].text == "no link between it and n1 and n2");
  CHECK(view.is_ready);
}

TEST_CASE("the older of two leaders does not count") {
  Answers answers;
  answers.of(3)["role"] = "leader";
  answers.of(3)["leader"] = Answers::id(3);
  answers.of(3)["term"] = "6";
  CHECK(view_cluster(answers.polled()).leader == "n1");
}

TEST_CASE("clocks are compared with most of them, this machine's among them") {
  using std::chrono::milliseconds;
  const auto ahead = [](Answers& answers, int number, std::int64_t by) {
    answers.of(number)["time"] = node::api::rfc3339({kNow + by});
  };
  Answers one_wrong;
  ahead(one_wrong, 2, 90'000);
  ClusterView view = view_cluster(one_wrong.polled());
  CHECK(found(view) == Lines{"warning clock n2"});
  CHECK(view.warnings[0].text == "its clock is +90.0 s from most of the others'");
  CHECK(row_of(view, "n2").clock_ahead == milliseconds(90'000));

  Answers own_wrong;
  for (const int number : {1, 2, 3, 4}) ahead(own_wrong, number, -3'600'000);
  CHECK(found(view_cluster(own_wrong.polled())).empty());

  Answers just_so;
  ahead(just_so, 2, -1'005);
  CHECK(found(view_cluster(just_so.polled())).empty());
  ahead(just_so, 2, -1'006);
  CHECK(found(view_cluster(just_so.polled())) == Lines{"warning clock n2"});
}

TEST_CASE("two blocks at one height are the worst there is") {
  Answers answers;
  answers.of(2)["tip"] = std::string(64, 'b');
  CHECK(found(view_cluster(answers.polled())) == Lines{"critical two-histories n2"});
  Answers mixed;
  mixed.of(2)["chain"] = std::string(64, 'd');
  CHECK(found(view_cluster(mixed.polled())) == Lines{"critical two-chains"});
}

TEST_CASE("what a node says of itself comes with its name, notices last") {
  Answers answers;
  answers.warn(1, "mining-not-isolated", "notice");
  answers.warn(2, "disk-full", "critical");
  answers.warn(4, "certificate-expires", "warning");
  const ClusterView view = view_cluster(answers.polled());
  CHECK(found(view) == Lines{"critical disk-full n2", "warning certificate-expires n4",
                             "notice mining-not-isolated n1"});
  Answers quiet;
  quiet.warn(1, "mining-not-isolated", "notice");
  CHECK_FALSE(view_cluster(quiet.polled()).has_warnings());
}

TEST_CASE("what witnesses say is passed on") {
  Answers answers;
  answers.of(2)["witnesses"] = json::object{{"quorum", 1}, {"alarm", "w1 refuses"}};
  answers.of(3)["witnesses"] = json::object{{"quorum", 1}};
  answers.of(3)["cosigner"] = json::object{{"failure", "the disk is full"}};
  const ClusterView view = view_cluster(answers.polled());
  CHECK(found(view) == Lines{"critical witnesses n2", "warning cosigner n3"});
  CHECK(view.warnings[0].text == "w1 refuses");
}

TEST_CASE("members without an address of their API are told by the others") {
  auto polled = Answers().polled();
  for (Polled& one : polled) {
    const std::size_t at = one.members.find(",\"api_address\":\"10.0.0.3:8100\"");
    REQUIRE(at != std::string::npos);
    one.members.erase(at, std::string(",\"api_address\":\"10.0.0.3:8100\"").size());
  }
  polled.erase(polled.begin() + 2);
  const ClusterView view = view_cluster(polled);
  CHECK(found(view) == Lines{"notice address-unknown n3"});
  CHECK(view.nodes.size() == 4);
}

TEST_CASE("an endpoint that is nobody's has a row of its own") {
  auto polled = Answers().polled();
  Polled stray;
  stray.endpoint = "http://127.0.0.1:9";
  stray.trouble = "Connection refused";
  polled.push_back(stray);
  const ClusterView view = view_cluster(polled);
  CHECK(view.nodes.size() == 5);
  CHECK(view.nodes.back().name.empty());
  CHECK(found(view) == Lines{"warning unreachable http://127.0.0.1:9"});
}

TEST_CASE("a node that is asked at two addresses is one node") {
  auto polled = Answers().polled();
  Polled again = polled[1];
  again.endpoint = "https://db2:8100";
  polled.push_back(again);
  again.node.clear();
  again.trouble = "no answer in time";
  again.endpoint = "https://10.0.0.2:8100/";
  polled.push_back(again);
  const ClusterView view = view_cluster(polled);
  CHECK(view.nodes.size() == 4);
  CHECK(found(view).empty());
}

TEST_CASE("answers that make no sense are troubles, not crashes") {
  for (const char* text :
       {"", "null", "[]", "{}", "{\"node\":", "\"text\"", "{\"node\": 7, \"peers\": 3}",
        "{\"node\":\"x\",\"peers\":[1,null,{\"node\":[]}],\"warnings\":{},\"mining\":[],"
        "\"certificates\":[null],\"height\":-1,\"time\":\"yesterday\",\"pool\":5}"}) {
    INFO(text);
    auto polled = Answers().polled();
    polled[1].node = text;
    const ClusterView view = view_cluster(polled);
    CHECK(view.nodes.size() >= 4);
    CHECK(view.leader == "n1");
    polled[0].members = text;
    CHECK(view_cluster(polled).nodes.size() >= 4);
  }
  const ClusterView nothing = view_cluster({});
  CHECK_FALSE(nothing.is_ready);
  CHECK(found(nothing) == Lines{"critical no-leader"});
}

TEST_CASE("members are asked in the manner in which they were found") {
  const json::value members = members_in(Answers().polled());
  CHECK(endpoints_of(members, "https://db1:8100").front() == "https://10.0.0.1:8100");
  CHECK(endpoints_of(members, "http://127.0.0.1:8100").back() == "http://10.0.0.4:8100");
  CHECK(endpoints_of(nullptr, "http://127.0.0.1:8100").empty());
}
