#include "node/metrics.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <vector>

using namespace eventchain;
using namespace eventchain::node;

namespace {

struct Sample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};

struct Family {
  std::string help;
  std::string type;
  std::vector<Sample> samples;
};

// Reads Prometheus' text format 0.0.4 as a scraper would; everything it could stumble over fails
// the test.
class Scrape {
 public:
  explicit Scrape(const std::string& text) {
    REQUIRE_FALSE(text.empty());
    CHECK(text.back() == '\n');
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      INFO("line ", line);
      REQUIRE_FALSE(line.empty());
      if (line.rfind("# HELP ", 0) == 0)
        begin(line.substr(7));
      else if (line.rfind("# TYPE ", 0) == 0)
        take_type(line.substr(7));
      else
        take_sample(line);
    }
  }

  [[nodiscard]] const Family& family(const std::string& name) const {
    const auto found = families.find(name);
    REQUIRE_MESSAGE(found != families.end(), name);
    return found->second;
  }
  // Of the only sample that has these labels.
  [[nodiscard]] double value(const std::string& family_name,
                             const std::map<std::string, std::string>& labels = {}) const {
    for (const Sample& sample : family(family_name).samples)
      if (sample.name == family_name && sample.labels == labels) return sample.value;
    FAIL("no such sample of ", family_name);
    return 0;
  }

  std::map<std::string, Family> families;

 private:
  void begin(const std::string& rest) {
    const std::size_t space = rest.find(' ');
    REQUIRE(space != std::string::npos);
    current_ = rest.substr(0, space);
    CHECK_MESSAGE(families.count(current_) == 0, "a family stands in one place");
    families[current_].help = rest.substr(space + 1);
  }
  void take_type(const std::string& rest) {
    const std::size_t space = rest.find(' ');
    REQUIRE(space != std::string::npos);
    REQUIRE(rest.substr(0, space) == current_);
    families[current_].type = rest.substr(space + 1);
  }
  void take_sample(const std::string& line) {
    Family& family = families[current_];
    REQUIRE_FALSE(family.type.empty());
    Sample sample;
    std::size_t at = line.find_first_of("{ ");
    REQUIRE(at != std::string::npos);
    sample.name = line.substr(0, at);
    const bool is_part =
        family.type == "histogram" &&
        std::regex_match(sample.name, std::regex(current_ + "_(bucket|sum|count)"));
    CHECK((is_part || sample.name == current_));
    if (line[at] == '{') at = take_labels(line, at + 1, sample);
    REQUIRE(line.at(at) == ' ');
    const std::string number = line.substr(at + 1);
    char* end = nullptr;
    sample.value = std::strtod(number.c_str(), &end);
    CHECK(end == number.c_str() + number.size());
    CHECK_MESSAGE(seen_.insert(line.substr(0, at)).second, "a sample stands in one place");
    family.samples.push_back(std::move(sample));
  }
  // Where the labels end.
  static std::size_t take_labels(const std::string& line, std::size_t at, Sample& sample) {
    while (line.at(at) != '}') {
      if (line[at] == ',') ++at;
      const std::size_t equals = line.find("=\"", at);
      REQUIRE(equals != std::string::npos);
      const std::string name = line.substr(at, equals - at);
      CHECK(std::regex_match(name, std::regex("[a-z][a-z_]*")));
      std::string value;
      for (at = equals + 2; line.at(at) != '"'; ++at) {
        if (line[at] != '\\') {
          value += line[at];
          continue;
        }
        ++at;
        CHECK((line.at(at) == 'n' || line[at] == '"' || line[at] == '\\'));
        value += line[at] == 'n' ? '\n' : line[at];
      }
      ++at;
      CHECK(sample.labels.emplace(name, value).second);
    }
    return at + 1;
  }

  std::string current_;
  std::set<std::string> seen_;
};

// Every figure differs from every other that could be mistaken for it.
MetricsSample busy_sample() {
  MetricsSample sample;
  auto& status = sample.status;
  status.height = chain::Height{12};
  status.log_size = 3400;
  status.total_work = chain::U256(1'000'000);
  status.feature_level = 4;
  status.program_level = 5;
  status.leader_clock_ahead = std::chrono::milliseconds(-2500);
  status.pending_events = 56;
  status.pending_bytes = 7800;
  status.oldest_pending = std::chrono::milliseconds(123'500);
  status.tip_age = std::chrono::milliseconds(101'250);
  status.block_interval = std::chrono::milliseconds(10'000);
  status.working_on = chain::Height{13};
  status.role = consensus::Role::kLeader;
  status.term = consensus::Term{9};
  status.peers = {{chain::NodeId{}, "n2", true, {}}, {chain::NodeId{}, "n3", false, {}}};
  std::uint64_t count = 100;
  auto& counted = status.counters;
  for (std::uint64_t* counter :
       {&counted.events_received, &counted.events_durable, &counted.events_completed,
        &counted.events_rejected, &counted.key_conflicts, &counted.blocks_committed,
        &counted.blocks_stale, &counted.templates_made, &counted.templates_adopted,
        &counted.elections, &counted.peer_faults, &counted.easings, &counted.requests_dropped})
    *counter = count++;
  counted.own_shares = {120, 121, 122, 123, 124};
  counted.peer_shares = {130, 131, 132, 133, 134};
  counted.shares_lost = 140;
  status.recent_shares.add({.hashes_each = 1'000, .seconds = 80}, 160);
  status.in_work.emplace();
  status.in_work->share_target = chain::compact(chain::target_for(chain::U256(1'000)));
  status.shares_found = 4;
  status.shares_needed = 16;
  sample.runtime.turns = 200;
  sample.runtime.commit_nanoseconds = 1'500'000'000;
  sample.runtime.share_messages_dropped = 201;
  sample.mesh.bytes_in = 300;
  sample.mesh.bytes_out = 301;
  mining::LendingReport lending;
  lending.state = mining::LendingReport::State::kLends;
  lending.reason = mining::LendingReason::kOperatorLimit;
  lending.threads = 21;
  lending.may_lend = 0.25;
  lending.lent = 0.125;
  lending.others = 0.5;
  lending.stolen = 0.0625;
  lending.hash_rate = 22;
  lending.hashes = std::uint64_t{1} << 60;
  lending.host.is_isolated = true;
  sample.lending = lending;
  sample.age = std::chrono::milliseconds(1'250);
  sample.host.version = "1.2.3";
  sample.host.disk = DiskState{"/data", 401, 1'000, 402, 300};
  sample.host.evidence_files = 403;
  sample.host.certificates = {{"peers", {}, {}, {}, chain::UnixMillis{404'500}}};
  return sample;
}

Scrape scrape(const MetricsSample& sample) {
  Metrics metrics;
  metrics.observe_http("submit_event", 202, std::chrono::milliseconds(3));
  metrics.observe_http("submit_event", 503, std::chrono::seconds(100));
  metrics.observe_http("log", 200, std::chrono::milliseconds(3));
  return Scrape(metrics.render(sample));
}

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

TEST_CASE("each family of metrics has a name of ours, a help, a type and samples") {
  const Scrape scraped = scrape(busy_sample());
  CHECK(scraped.families.size() >= 40);
  for (const auto& entry : scraped.families) {
    const std::string& name = entry.first;
    const Family& family = entry.second;
    INFO("family ", name);
    CHECK(std::regex_match(name, std::regex("eventchain_[a-z][a-z_]*[a-z]")));
    CHECK(ends_with(family.help, "."));
    CHECK_FALSE(family.samples.empty());
    CHECK((family.type == "counter" || family.type == "gauge" || family.type == "histogram"));
    CHECK(ends_with(name, "_total") == (family.type == "counter"));
  }
}

TEST_CASE("a fresh node has every family already, so that no alert waits for a first value") {
  MetricsSample nothing_yet;
  nothing_yet.host.disk = DiskState{};  // its room is known from the start
  const Scrape fresh(Metrics().render(nothing_yet));
  const Scrape busy = scrape(busy_sample());
  for (const auto& entry : busy.families) {
    const std::string& name = entry.first;
    INFO("family ", name);
    // Requests and peers come with their first sample.
    if (name == "eventchain_http_request_duration_seconds" || name == "eventchain_peer_linked")
      continue;
    CHECK(fresh.families.count(name) == 1);
  }
}

TEST_CASE("metrics tell what the status says, in base units") {
  const Scrape scraped = scrape(busy_sample());
  CHECK(scraped.value("eventchain_tip_height") == 12);
  CHECK(scraped.value("eventchain_log_size_events") == 3400);
  CHECK(scraped.value("eventchain_chain_work_hashes") == 1e6);
  CHECK(scraped.value("eventchain_feature_level") == 4);
  CHECK(scraped.value("eventchain_program_feature_level") == 5);
  CHECK(scraped.value("eventchain_leader_clock_ahead_seconds") == -2.5);
  CHECK(scraped.value("eventchain_pending_events") == 56);
  CHECK(scraped.value("eventchain_pending_bytes") == 7800);
  CHECK(scraped.value("eventchain_oldest_pending_seconds") == 123.5);
  CHECK(scraped.value("eventchain_tip_age_seconds") == 101.25);
  CHECK(scraped.value("eventchain_block_interval_seconds") == 10);
  CHECK(scraped.value("eventchain_stalled") == 1);
  CHECK(scraped.value("eventchain_working_on_height") == 13);
  CHECK(scraped.value("eventchain_raft_is_leader") == 1);
  CHECK(scraped.value("eventchain_raft_term") == 9);
  CHECK(scraped.value("eventchain_events_received_total") == 100);
  CHECK(scraped.value("eventchain_events_durable_total") == 101);
  CHECK(scraped.value("eventchain_events_completed_total") == 102);
  CHECK(scraped.value("eventchain_events_rejected_total") == 103);
  CHECK(scraped.value("eventchain_key_conflicts_total") == 104);
  CHECK(scraped.value("eventchain_blocks_committed_total") == 105);
  CHECK(scraped.value("eventchain_blocks_stale_total") == 106);
  CHECK(scraped.value("eventchain_templates_made_total") == 107);
  CHECK(scraped.value("eventchain_templates_adopted_total") == 108);
  CHECK(scraped.value("eventchain_shares_total", {{"kind", "own"}}) == 610);
  CHECK(scraped.value("eventchain_shares_total", {{"kind", "accepted"}}) == 250);
  CHECK(scraped.value("eventchain_shares_total", {{"kind", "refused"}}) == 258);
  const std::string seen = "eventchain_shares_seen_total";
  CHECK(scraped.value(seen, {{"origin", "own"}, {"result", "accepted"}}) == 120);
  CHECK(scraped.value(seen, {{"origin", "own"}, {"result", "duplicate"}}) == 121);
  CHECK(scraped.value(seen, {{"origin", "own"}, {"result", "surplus"}}) == 122);
  CHECK(scraped.value(seen, {{"origin", "own"}, {"result", "stale"}}) == 123);
  CHECK(scraped.value(seen, {{"origin", "own"}, {"result", "refused"}}) == 124);
  CHECK(scraped.value(seen, {{"origin", "peers"}, {"result", "accepted"}}) == 130);
  CHECK(scraped.value(seen, {{"origin", "peers"}, {"result", "refused"}}) == 134);
  CHECK(scraped.value("eventchain_shares_lost_total") == 140);
  CHECK(scraped.value("eventchain_cluster_hashes_per_second", {{"bound", "estimate"}}) == 2'000);
  CHECK(scraped.value("eventchain_cluster_hashes_per_second", {{"bound", "low"}}) ==
        doctest::Approx(1'702).epsilon(0.001));
  CHECK(scraped.value("eventchain_cluster_hashes_per_second", {{"bound", "high"}}) ==
        doctest::Approx(2'335).epsilon(0.001));
  // Twelve shares of a thousand hashes each.
  CHECK(scraped.value("eventchain_next_block_expected_seconds") ==
        doctest::Approx(6).epsilon(0.001));
  CHECK(scraped.value("eventchain_leaderships_total") == 109);
  CHECK(scraped.value("eventchain_peer_faults_total") == 110);
  CHECK(scraped.value("eventchain_target_easings_total") == 111);
  CHECK(scraped.value("eventchain_requests_dropped_total") == 112);
  CHECK(scraped.value("eventchain_turns_total") == 200);
  CHECK(scraped.value("eventchain_share_messages_dropped_total") == 201);
  CHECK(scraped.value("eventchain_commit_seconds_total") == doctest::Approx(1.5));
  CHECK(scraped.value("eventchain_link_bytes_total", {{"direction", "in"}}) == 300);
  CHECK(scraped.value("eventchain_link_bytes_total", {{"direction", "out"}}) == 301);
  CHECK(scraped.value("eventchain_peer_linked", {{"peer", "n2"}}) == 1);
  CHECK(scraped.value("eventchain_peer_linked", {{"peer", "n3"}}) == 0);
  CHECK(scraped.value("eventchain_hashes_total") == 0x1p60);
  CHECK(scraped.value("eventchain_mining_threads") == 21);
  CHECK(scraped.value("eventchain_mining_allowed_ratio") == 0.25);
  CHECK(scraped.value("eventchain_mining_lent_ratio") == 0.125);
  CHECK(scraped.value("eventchain_mining_others_ratio") == 0.5);
  CHECK(scraped.value("eventchain_mining_stolen_ratio") == 0.0625);
  CHECK(scraped.value("eventchain_mining_hashes_per_second") == 22);
  CHECK(scraped.value("eventchain_mining_isolated") == 1);
  CHECK(scraped.family("eventchain_build_info").samples.size() == 1);
  CHECK(scraped.value("eventchain_staleness_seconds") == 1.25);
  CHECK(scraped.value("eventchain_disk_free_bytes") == 401);
  CHECK(scraped.value("eventchain_disk_reserve_bytes") == 402);
  CHECK(scraped.value("eventchain_evidence_files") == 403);
  const std::string ends = "eventchain_certificate_expiry_timestamp_seconds";
  CHECK(scraped.value(ends, {{"use", "peers"}}) == 404.5);
  CHECK(std::isinf(scraped.value(ends, {{"use", "api"}})));
  CHECK(scraped.value("eventchain_blocks_behind") == 0);
  CHECK(scraped.value("eventchain_intake_open") == 1);
  MetricsSample idle;
  CHECK(std::isinf(Scrape(Metrics().render(idle)).value("eventchain_staleness_seconds")));
  MetricsSample light;
  light.status.is_light = true;
  CHECK(Scrape(Metrics().render(light)).families.count("eventchain_staleness_seconds") == 0);
  CHECK(Scrape(Metrics().render(idle)).value("eventchain_working_on_height") == 0);
  CHECK(Scrape(Metrics().render(idle)).value("eventchain_next_block_expected_seconds") == 0);
}

TEST_CASE("what the miner does, and why, is one of all the states and reasons there are") {
  const auto ones = [](const Scrape& scraped, const char* name) {
    std::vector<std::string> labels;
    for (const Sample& sample : scraped.family(name).samples)
      if (sample.value == 1) labels.push_back(sample.labels.begin()->second);
    return labels;
  };
  using Labels = std::vector<std::string>;
  MetricsSample sample = busy_sample();
  CHECK(ones(scrape(sample), "eventchain_mining_state") == Labels{"lends"});
  CHECK(ones(scrape(sample), "eventchain_mining_reason") == Labels{"operator-limit"});
  sample.lending->state = mining::LendingReport::State::kStopped;
  sample.lending->reason = mining::LendingReason::kOthersBusy;
  CHECK(ones(scrape(sample), "eventchain_mining_state") == Labels{"stopped"});
  CHECK(ones(scrape(sample), "eventchain_mining_reason") == Labels{"others-busy"});
  sample.lending->state = mining::LendingReport::State::kNoWork;
  CHECK(ones(scrape(sample), "eventchain_mining_state") == Labels{"no-work"});
  CHECK(ones(scrape(sample), "eventchain_mining_reason").empty());
  for (const auto state :
       {mining::LendingReport::State::kNoProcess, mining::LendingReport::State::kSilent}) {
    sample.lending->state = state;
    CHECK(ones(scrape(sample), "eventchain_mining_state") == Labels{to_string(state)});
    CHECK(ones(scrape(sample), "eventchain_mining_reason").empty());
  }
  CHECK(scrape(sample).family("eventchain_mining_state").samples.size() ==
        1 + mining::kLendingStates);
  sample.lending.reset();
  CHECK(ones(scrape(sample), "eventchain_mining_state") == Labels{"off"});
  CHECK(scrape(sample).family("eventchain_mining_reason").samples.size() ==
        mining::kLendingReasons);
}

TEST_CASE("a peer's name of any characters stays one label") {
  MetricsSample sample;
  for (const char* name :
       {"with \"quotes\"", "back\\slash", "two\nlines", "a=\"b\",c} 1", "Zürich"})
    sample.status.peers.push_back({chain::NodeId{}, name, true, {}});
  const Scrape scraped(Metrics().render(sample));
  CHECK(scraped.family("eventchain_peer_linked").samples.size() == 5);
  for (const auto& peer : sample.status.peers)
    CHECK(scraped.value("eventchain_peer_linked", {{"peer", peer.name}}) == 1);
}

TEST_CASE("witnesses have numbers where there are any, and an age that rings while there is none") {
  Metrics metrics;
  CHECK(Scrape(metrics.render({})).families.count("eventchain_witnessed_age_seconds") == 0);
  MetricsSample sample;
  sample.witnesses.emplace();
  sample.witnesses->quorum = 2;
  WitnessReport witness;
  witness.name = "w.example/1";
  witness.condition = WitnessCondition::kContradicts;
  witness.size = 12;
  witness.time = chain::UnixSeconds{1'700'000'000};
  witness.cosigned = 3;
  witness.failed = 1;
  sample.witnesses->witnesses = {witness};
  sample.cosigner.emplace();
  sample.cosigner->logs = {{"eventchain/00", 7}};
  sample.cosigner->contradictions = 1;
  const Scrape none(metrics.render(sample));
  CHECK(std::isinf(none.value("eventchain_witnessed_age_seconds")));
  sample.witnesses->size = 12;
  sample.witnesses->age = std::chrono::milliseconds(1'500);
  sample.witnesses->alarm = "another log";
  const Scrape scrape(metrics.render(sample));
  CHECK(scrape.value("eventchain_witnessed_age_seconds") == 1.5);
  CHECK(scrape.value("eventchain_witnessed_log_size_events") == 12);
  CHECK(scrape.value("eventchain_witnesses_needed") == 2);
  CHECK(scrape.value("eventchain_witness_memory_alarm") == 1);
  const std::map<std::string, std::string> who{{"witness", "w.example/1"}};
  CHECK(scrape.value("eventchain_witness_alarm", who) == 1);
  CHECK(scrape.value("eventchain_witness_log_size_events", who) == 12);
  CHECK(scrape.value("eventchain_witness_last_success_timestamp_seconds", who) == 1'700'000'000);
  CHECK(scrape.value("eventchain_witness_requests_total",
                     {{"witness", "w.example/1"}, {"result", "cosigned"}}) == 3);
  CHECK(scrape.value("eventchain_witness_requests_total",
                     {{"witness", "w.example/1"}, {"result", "failed"}}) == 1);
  CHECK(scrape.value("eventchain_cosigner_requests_total", {{"result", "contradiction"}}) == 1);
  CHECK(scrape.value("eventchain_cosigner_log_size_events", {{"log", "eventchain/00"}}) == 7);
  CHECK(scrape.value("eventchain_cosigner_failed") == 0);
}

TEST_CASE("durations of requests are a histogram for each route and class of status") {
  const Scrape scraped = scrape(busy_sample());
  const std::string name = "eventchain_http_request_duration_seconds";
  const Family& family = scraped.family(name);
  CHECK(family.type == "histogram");
  std::map<std::map<std::string, std::string>, double> last;
  std::map<std::map<std::string, std::string>, double> counts;
  for (const Sample& sample : family.samples) {
    auto labels = sample.labels;
    labels.erase("le");
    if (sample.name == name + "_bucket") {
      CHECK(sample.value >= last[labels]);
      last[labels] = sample.value;
    }
    if (sample.name == name + "_count") counts[labels] = sample.value;
  }
  CHECK(counts.size() == 3);
  CHECK(counts[{{"route", "submit_event"}, {"class", "2xx"}}] == 1);
  CHECK(counts[{{"route", "submit_event"}, {"class", "5xx"}}] == 1);
  CHECK(counts[{{"route", "log"}, {"class", "2xx"}}] == 1);
  CHECK(last == counts);  // the bucket without end has them all
  bool has_infinity = false;
  for (const Sample& sample : family.samples) {
    const auto bound = sample.labels.find("le");
    if (bound == sample.labels.end() || sample.labels.at("class") != "5xx") continue;
    // 100 s is beyond every bucket but the last.
    CHECK(sample.value == (bound->second == "+Inf" ? 1 : 0));
    has_infinity = has_infinity || bound->second == "+Inf";
  }
  CHECK(has_infinity);
}
