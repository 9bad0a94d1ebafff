#include "node/warnings.h"

#include <doctest/doctest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/node/api_order_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using std::chrono::milliseconds;

namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
constexpr std::int64_t kDay = 24LL * 3600 * 1000;
constexpr std::int64_t kNow = 1'800'000'000'000;

chain::NodeId id(std::uint8_t number) {
  chain::NodeId made;
  made.octets[0] = number;
  return made;
}

chain::Member member(std::uint8_t number, chain::MemberRole role) {
  chain::Member made;
  made.node = id(number);
  made.name = "n" + std::to_string(number);
  made.site = "east";
  made.role = role;
  return made;
}

// n1 of three voters and an observer, with nothing to complain of.
NodeReport healthy() {
  NodeReport report;
  report.now = {kNow};
  report.status.node = id(1);
  report.status.name = "n1";
  report.status.ready = true;
  report.status.height = chain::Height{100};
  report.status.pool_events_max = 1000;
  for (const std::uint8_t peer : std::initializer_list<std::uint8_t>{2, 3, 4})
    report.status.peers.push_back(
        {id(peer), "n" + std::to_string(peer), true, chain::Height{100}, std::uint16_t{1}});
  report.host.running_for = milliseconds(60'000);
  report.host.disk = DiskState{"/data", 50 * kGiB, 100 * kGiB, kGiB, kGiB};
  report.host.certificates = {{"peers", "", "", {kNow - kDay}, {kNow + 300 * kDay}},
                              {"api", "", "", {kNow - kDay}, {kNow + 300 * kDay}}};
  mining::LendingReport lending;
  lending.state = mining::LendingReport::State::kLends;
  lending.reason = mining::LendingReason::kCap;
  lending.host.is_isolated = true;
  report.lending = lending;
  auto members = std::make_shared<chain::MemberSet>();
  using enum chain::MemberRole;
  members->members = {member(1, kVoter), member(2, kVoter), member(3, kVoter),
                      member(4, kObserver)};
  report.members = members;
  return report;
}

// An event has waited, and no block has come, for so long.
void wait(NodeReport& report, milliseconds event, milliseconds block, milliseconds interval) {
  report.status.pending_events = 1;
  report.status.oldest_pending = event;
  report.status.tip_age = block;
  report.status.block_interval = interval;
}

// "severity code about" of each.
std::vector<std::string> found(const NodeReport& report) {
  std::vector<std::string> lines;
  for (const Warning& warning : find_warnings(report)) {
    INFO(warning.code);
    CHECK_FALSE(warning.text.empty());
    CHECK_FALSE(warning.remedy.empty());
    lines.push_back(std::string(to_string(warning.severity)) + " " + warning.code +
                    (warning.about.empty() ? "" : " " + warning.about));
  }
  return lines;
}

using Lines = std::vector<std::string>;

void lose(NodeReport& report, std::size_t peer, milliseconds time) {
  report.status.peers[peer].linked = false;
  report.host.unlinked_for[report.status.peers[peer].node] = time;
}

struct Row {
  const char* what;
  std::function<void(NodeReport&)> happens;
  Lines expected;
};

std::vector<Row> rows() {
  return {
      {"no leader", [](NodeReport& r) { r.status.ready = false; }, {"critical no-leader"}},
      {"a light member alone",
       [](NodeReport& r) {
         r.status.ready = false;
         r.status.is_light = true;
       },
       {"critical no-link"}},
      {"evidence", [](NodeReport& r) { r.host.evidence_files = 1; }, {"critical evidence"}},
      {"below the reserve",
       [](NodeReport& r) { r.host.disk->free_bytes = kGiB - 1; },
       {"critical disk-full"}},
      {"near the reserve",
       [](NodeReport& r) { r.host.disk->free_bytes = 3 * kGiB; },
       {"warning disk-low"}},
      {"5 percent free", [](NodeReport& r) { r.host.disk->free_bytes = 5 * kGiB; }, {}},
      {"no reserve and a full disk",
       [](NodeReport& r) {
         r.host.disk->reserve_bytes = 0;
         r.host.disk->free_bytes = 0;
       },
       {"warning disk-low"}},
      {"a disk that cannot be told", [](NodeReport& r) { r.host.disk.reset(); }, {}},
      {"an expired certificate",
       [](NodeReport& r) { r.host.certificates[1].not_after.value = kNow; },
       {"critical certificate-expired api"}},
      {"a week left",
       [](NodeReport& r) { r.host.certificates[0].not_after.value = kNow + 7 * kDay - 1; },
       {"critical certificate-expires peers"}},
      {"a month left",
       [](NodeReport& r) { r.host.certificates[0].not_after.value = kNow + 30 * kDay - 1; },
       {"warning certificate-expires peers"}},
      {"more than a month",
       [](NodeReport& r) { r.host.certificates[0].not_after.value = kNow + 30 * kDay; },
       {}},
      {"a certificate of tomorrow",
       [](NodeReport& r) { r.host.certificates[0].not_before.value = kNow + 1; },
       {"critical certificate-early peers"}},
      {"a voter away",
       [](NodeReport& r) { lose(r, 0, milliseconds(5'000)); },
       {"warning peer-unlinked n2"}},
      {"a voter away for a moment", [](NodeReport& r) { lose(r, 0, milliseconds(4'999)); }, {}},
      {"a voter that was never there",
       [](NodeReport& r) { r.status.peers[1].linked = false; },
       {"warning peer-unlinked n3"}},
      {"that, right after the start",
       [](NodeReport& r) {
         r.status.peers[1].linked = false;
         r.host.running_for = milliseconds(100);
       },
       {}},
      {"an observer without a link to this voter",
       [](NodeReport& r) { lose(r, 2, milliseconds(60'000)); },
       {}},
      {"members that cannot be read",
       [](NodeReport& r) {
         r.members = nullptr;
         lose(r, 0, milliseconds(60'000));
       },
       {}},
      {"far behind",
       [](NodeReport& r) { r.status.height = chain::Height{94}; },
       {"warning behind"}},
      {"a little behind", [](NodeReport& r) { r.status.height = chain::Height{95}; }, {}},
      {"ahead of all", [](NodeReport& r) { r.status.height = chain::Height{105}; }, {}},
      {"a shunned peer",
       [](NodeReport& r) { r.status.peers[0].shunned = true; },
       {"warning peer-shunned n2"}},
      {"the leader's clock",
       [](NodeReport& r) { r.status.leader_clock_ahead = milliseconds(-1001); },
       {"warning clock"}},
      {"a second", [](NodeReport& r) { r.status.leader_clock_ahead = milliseconds(1000); }, {}},
      {"no block for ten intervals, while events wait",
       [](NodeReport& r) {
         wait(r, milliseconds(100'001), milliseconds(100'001), milliseconds(10'000));
       },
       {"critical stalled"}},
      {"just ten intervals",
       [](NodeReport& r) {
         wait(r, milliseconds(100'001), milliseconds(100'000), milliseconds(10'000));
       },
       {}},
      {"an event that came lately",
       [](NodeReport& r) {
         wait(r, milliseconds(100'000), milliseconds(900'000), milliseconds(10'000));
       },
       {}},
      {"quick blocks: a minute",
       [](NodeReport& r) {
         wait(r, milliseconds(60'001), milliseconds(60'001), milliseconds(100));
       },
       {"critical stalled"}},
      {"less, for an event may wait for its version",
       [](NodeReport& r) {
         wait(r, milliseconds(60'000), milliseconds(60'000), milliseconds(100));
       },
       {}},
      {"slow blocks",
       [](NodeReport& r) {
         wait(r, milliseconds(35'999'000), milliseconds(35'999'000), milliseconds(3'600'000));
       },
       {}},
      {"no events, no blocks",
       [](NodeReport& r) {
         wait(r, milliseconds(0), milliseconds(900'000), milliseconds(10'000));
         r.status.oldest_pending.reset();
       },
       {}},
      {"that without a leader",
       [](NodeReport& r) {
         wait(r, milliseconds(900'000), milliseconds(900'000), milliseconds(10'000));
         r.status.ready = false;
       },
       {"critical no-leader"}},
      {"that behind the others",
       [](NodeReport& r) {
         wait(r, milliseconds(900'000), milliseconds(900'000), milliseconds(10'000));
         r.status.height = chain::Height{94};
       },
       {"warning behind"}},
      {"a drain", [](NodeReport& r) { r.status.drain = DrainStatus{}; }, {"notice draining"}},
      {"a full pool", [](NodeReport& r) { r.status.pending_events = 801; }, {"warning pool-full"}},
      {"a miner that is not there",
       [](NodeReport& r) { r.lending->state = mining::LendingReport::State::kNoProcess; },
       {"warning miner-away"}},
      {"a silent miner",
       [](NodeReport& r) { r.lending->state = mining::LendingReport::State::kSilent; },
       {"warning miner-away"}},
      {"a miner that sees nothing",
       [](NodeReport& r) { r.lending->reason = mining::LendingReason::kBlind; },
       {"warning mining-blind"}},
      {"a miner among others",
       [](NodeReport& r) { r.lending->host.is_isolated = false; },
       {"notice mining-not-isolated"}},
      {"that, paused",
       [](NodeReport& r) {
         r.lending->host.is_isolated = false;
         r.lending->wish.pauses = true;
       },
       {}},
      {"a node that lends nothing", [](NodeReport& r) { r.lending.reset(); }, {}},
      {"a peer with a newer program",
       [](NodeReport& r) { r.status.peers[0].program_level = 2; },
       {"notice program-old"}},
  };
}

}  // namespace

TEST_CASE("nothing is said of a node that is well") {
  CHECK(found(healthy()).empty());
}

TEST_CASE("each trouble has its warning, and what is just short of it has none") {
  for (const Row& row : rows()) {
    INFO(row.what);
    NodeReport report = healthy();
    row.happens(report);
    CHECK(found(report) == row.expected);
  }
}

TEST_CASE("what is most severe comes first") {
  NodeReport report = healthy();
  report.status.drain = DrainStatus{};
  report.status.leader_clock_ahead = milliseconds(90'000);
  report.host.evidence_files = 2;
  report.status.ready = false;
  CHECK(found(report) ==
        Lines{"critical no-leader", "critical evidence", "warning clock", "notice draining"});
}

TEST_CASE("a node tells of itself, its host and its warnings in one answer") {
  node::api::ApiOptions options;
  options.wall_clock = [] { return chain::UnixMillis{kNow}; };
  options.host = [] {
    HostState host = healthy().host;
    host.version = "1.2.3";
    host.started = {kNow - 60'000};
    host.certificates[0].not_after.value = kNow + 3 * kDay;
    host.unlinked_for[id(3)] = milliseconds(12'000);
    return host;
  };
  api_test::Fixture fixture(std::move(options));
  fixture.reader.member_set = *healthy().members;
  fixture.port.status = healthy().status;
  fixture.port.status.peers[1].linked = false;
  fixture.port.status.oldest_pending = milliseconds(1'500);
  fixture.port.status.tip_age = milliseconds(2'500);
  fixture.port.status.block_interval = milliseconds(10'000);
  const auto answer = fixture.get("/v1/node");
  CHECK(answer.status == 200);
  const auto at = [&answer](const char* pointer) { return api_test::text_at(answer, pointer); };
  CHECK(at("/name") == "n1");
  CHECK(at("/member_role") == "voter");
  CHECK(at("/site") == "east");
  CHECK(at("/version") == "1.2.3");
  CHECK(at("/time") == "2027-01-15T08:00:00.000Z");
  CHECK(at("/blocks_behind") == "0");
  CHECK(at("/disk/free_bytes") == std::to_string(50 * kGiB));
  CHECK(at("/certificates/0/use") == "peers");
  CHECK(at("/mining/state") == "off");
  CHECK(at("/warnings/0/code") == "certificate-expires");
  CHECK(at("/warnings/0/about") == "peers");
  CHECK(at("/warnings/1/code") == "peer-unlinked");
  CHECK(at("/warnings/1/text") == "no link to voter n3 for 12 s");
  const auto document = boost::json::parse(answer.body);
  CHECK(document.at_pointer("/certificates/0/seconds_left").as_int64() == 3 * 24 * 3600);
  CHECK(document.at_pointer("/pool/oldest_ms").as_int64() == 1'500);
  CHECK(document.at_pointer("/tip_age_ms").as_int64() == 2'500);
  CHECK(document.at_pointer("/block_interval_ms").as_int64() == 10'000);
  CHECK(document.at_pointer("/peers/1/unlinked_ms").as_int64() == 12'000);
  CHECK(document.at_pointer("/peers/0").as_object().if_contains("unlinked_ms") == nullptr);
  // Only here: the cluster's view stays what it was.
  CHECK_FALSE(api_test::contains(fixture.get("/v1/cluster").body, "unlinked_ms"));
}

TEST_CASE("openapi.json names every kind of warning") {
  api_test::Fixture fixture;
  const auto document = boost::json::parse(fixture.get("/openapi.json").body);
  std::set<std::string> known;
  for (const auto& code :
       document.at_pointer("/components/schemas/Warning/properties/code/enum").as_array())
    known.insert(std::string(code.as_string()));
  std::set<std::string> made;
  for (const Row& row : rows()) {
    NodeReport report = healthy();
    row.happens(report);
    for (const Warning& warning : find_warnings(report)) made.insert(warning.code);
  }
  CHECK(known == made);
}
