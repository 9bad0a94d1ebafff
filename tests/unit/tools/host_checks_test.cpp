#include "tools/eventchain/host_checks.h"

#include <doctest/doctest.h>

#include <functional>

#include "tests/unit/tools/cluster_answers.h"
#include "tools/eventchain/host_ports.h"

using namespace cluster_test;
using std::chrono::microseconds;

namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
constexpr std::int64_t kDay = 24LL * 3600 * 1000;

// A host on which all is as it should be.
HostFacts healthy() {
  HostFacts facts;
  facts.config_file = "/etc/eventchain/node.toml";
  facts.now = {kNow};
  facts.runs = true;
  facts.version = "1.2.3";
  facts.node = Answers::id(1);
  facts.files = {{"node.genesis", "/g", true, true, false, 0644, 0, 0},
                 {"peers.key", "/k", true, true, true, 0600, 100, 100}};
  CertificateFact certificate;
  certificate.use = "peers";
  certificate.path = "/c";
  certificate.uri = certificate.expected_uri = "spiffe://example.org/eventchain/orders/node/1";
  certificate.not_before = {kNow - kDay};
  certificate.not_after = {kNow + 100 * kDay};
  facts.certificates = {certificate};
  facts.data.path = "/data";
  facts.data.is_directory = true;
  facts.data.is_writable = true;
  facts.data.mode = 0750;
  facts.data.owner = 100;
  facts.data.group = 100;
  facts.data.has_database = true;
  facts.data.free_bytes = 50 * kGiB;
  facts.data.size_bytes = 100 * kGiB;
  facts.data.reserve_bytes = kGiB;
  facts.data.syncs = {microseconds(900), microseconds(1'100), microseconds(5'000)};
  facts.ports = {{"api.listen", "0.0.0.0:8100", PortFact::State::kTaken, "eventchaind (7)", true}};
  facts.peers = {{"n2", "db2:7100", "", "spiffe://a", "spiffe://a"}};
  facts.clock = {true, true};
  facts.miner.lends = true;
  facts.miner.is_process = true;
  facts.miner.has_cgroups = true;
  facts.miner.pid = "8";
  facts.miner.gets_idle_time_alone = true;
  facts.files_open_max = 65'536;
  facts.is_limit_of_node = true;
  facts.cluster = view_cluster(Answers().polled());
  return facts;
}

// "outcome topic" of what is not ok.
std::vector<std::string> found(const HostFacts& facts) {
  std::vector<std::string> lines;
  for (const HostCheck& check : judge(facts)) {
    CHECK_FALSE(check.text.empty());
    CHECK(check.remedy.empty() == (check.outcome == CheckOutcome::kOk));
    if (check.outcome != CheckOutcome::kOk)
      lines.push_back(std::string(to_string(check.outcome)) + " " + check.topic);
  }
  return lines;
}

using Lines = std::vector<std::string>;

struct Row {
  const char* what;
  std::function<void(HostFacts&)> happens;
  Lines expected;
};

std::vector<Row> file_rows() {
  return {
      {"no configuration",
       [](HostFacts& f) { f.config_trouble = "no such file"; },
       {"FAIL configuration"}},
      {"no genesis", [](HostFacts& f) { f.genesis_trouble = "no such file"; }, {"FAIL genesis"}},
      {"a stranger's genesis",
       [](HostFacts& f) { f.deployment_trouble = "not this node"; },
       {"FAIL configuration"}},
      {"a key that is not there",
       [](HostFacts& f) { f.files[1].is_there = false; },
       {"FAIL files"}},
      {"a key for all", [](HostFacts& f) { f.files[1].mode = 0644; }, {"FAIL files"}},
      {"a key for the node's group", [](HostFacts& f) { f.files[1].mode = 0640; }, {}},
      {"a key for another group",
       [](HostFacts& f) {
         f.files[1].mode = 0640;
         f.files[1].group = 50;
       },
       {"warn files"}},
      {"somebody's key", [](HostFacts& f) { f.files[1].owner = 1000; }, {"warn files"}},
      {"root's key", [](HostFacts& f) { f.files[1].owner = 0; }, {}},
      {"a key out of sight", [](HostFacts& f) { f.files[1].is_readable = false; }, {"warn files"}},
      {"a command that cannot be run",
       [](HostFacts& f) { f.files[0].trouble = "no"; },
       {"FAIL files"}},
      {"the wrong key",
       [](HostFacts& f) { f.certificates[0].trouble = "another's key"; },
       {"FAIL certificates"}},
      {"another node's certificate",
       [](HostFacts& f) { f.certificates[0].uri = "spiffe://x"; },
       {"FAIL certificates"}},
      {"an expired certificate",
       [](HostFacts& f) { f.certificates[0].not_after = {kNow}; },
       {"FAIL certificates"}},
      {"a certificate of tomorrow",
       [](HostFacts& f) { f.certificates[0].not_before = {kNow + 1}; },
       {"FAIL certificates"}},
      {"a month left",
       [](HostFacts& f) { f.certificates[0].not_after = {kNow + 30 * kDay - 1}; },
       {"warn certificates"}},
  };
}

std::vector<Row> host_rows() {
  using State = PortFact::State;
  return {
      {"no data", [](HostFacts& f) { f.data.is_directory = false; }, {"FAIL data"}},
      {"an empty disk", [](HostFacts& f) { f.data.has_database = false; }, {"FAIL data"}},
      {"a new disk",
       [](HostFacts& f) {
         f.data.has_database = false;
         f.data.has_permit = true;
       },
       {}},
      {"data for all", [](HostFacts& f) { f.data.mode = 0777; }, {"FAIL data"}},
      {"NFS", [](HostFacts& f) { f.data.is_remote = true; }, {"FAIL data"}},
      {"tmpfs", [](HostFacts& f) { f.data.is_in_memory = true; }, {"warn data"}},
      {"a full disk", [](HostFacts& f) { f.data.free_bytes = kGiB - 1; }, {"FAIL data"}},
      {"nearly full", [](HostFacts& f) { f.data.free_bytes = kGiB; }, {"warn data"}},
      {"a slow disk",
       [](HostFacts& f) { f.data.syncs.assign(3, microseconds(60'000)); },
       {"warn data"}},
      {"one slow fsync", [](HostFacts& f) { f.data.syncs[0] = microseconds(900'000); }, {}},
      {"a disk of others", [](HostFacts& f) { f.data.syncs.clear(); }, {}},
      {"a port taken", [](HostFacts& f) { f.ports[0].is_ours = false; }, {"FAIL ports"}},
      {"a port not listened on",
       [](HostFacts& f) { f.ports[0].state = State::kFree; },
       {"FAIL ports"}},
      {"another host's address",
       [](HostFacts& f) { f.ports[0].state = State::kNoSuchAddress; },
       {"FAIL ports"}},
      {"a port of root's", [](HostFacts& f) { f.ports[0].state = State::kDenied; }, {"FAIL ports"}},
      {"a peer away", [](HostFacts& f) { f.peers[0].trouble = "refused"; }, {"warn peers"}},
      {"an impostor", [](HostFacts& f) { f.peers[0].uri = ""; }, {"FAIL peers"}},
      {"a clock alone", [](HostFacts& f) { f.clock.is_synchronised = false; }, {"warn clock"}},
      {"a clock out of sight", [](HostFacts& f) { f.clock.is_known = false; }, {"warn clock"}},
      {"a miner among others",
       [](HostFacts& f) { f.miner.gets_idle_time_alone = false; },
       {"FAIL mining"}},
      {"a miner out of sight",
       [](HostFacts& f) { f.miner.gets_idle_time_alone.reset(); },
       {"warn mining"}},
      {"no miner", [](HostFacts& f) { f.miner.pid.clear(); }, {"warn mining"}},
      {"mining in the node", [](HostFacts& f) { f.miner.is_process = false; }, {"warn mining"}},
      {"a kill switch", [](HostFacts& f) { f.miner.has_kill_switch = true; }, {"warn mining"}},
      {"old cgroups", [](HostFacts& f) { f.miner.has_cgroups = false; }, {"warn mining"}},
      {"nothing lent",
       [](HostFacts& f) {
         f.miner = {};
         f.miner.lends = false;
       },
       {}},
      {"few files", [](HostFacts& f) { f.files_open_max = 1024; }, {"warn limits"}},
      {"few files for a shell",
       [](HostFacts& f) {
         f.files_open_max = 1024;
         f.is_limit_of_node = false;
       },
       {}},
  };
}

std::vector<Row> node_rows() {
  const auto with = [](Answers answers) {
    return [answers](HostFacts& f) { f.cluster = view_cluster(answers.polled()); };
  };
  Answers full;
  full.warn(1, "disk-full", "critical");
  full.warn(1, "mining-not-isolated", "notice");
  full.warn(2, "evidence", "critical");
  Answers old;
  old.of(1)["version"] = "1.2.2";
  Answers silent;
  silent.silence(1, "no answer in time");
  Answers elsewhen;
  for (const int other : {2, 3, 4})
    elsewhen.of(other)["time"] = node::api::rfc3339({kNow + 90'000});
  Answers one_elsewhen;
  one_elsewhen.of(2)["time"] = node::api::rfc3339({kNow + 90'000});
  return {
      {"a clock that is off", with(elsewhen), {"FAIL clock"}},
      {"one other clock that is off", with(one_elsewhen), {}},
      {"what the node says of itself", with(full), {"FAIL node"}},
      {"a node from before the upgrade", with(old), {"warn node"}},
      {"a node that hangs", with(silent), {"FAIL node"}},
      {"a node that does not run",
       [](HostFacts& f) {
         f.cluster.reset();
         f.runs = false;
         f.ports[0] = {"api.listen", "0.0.0.0:8100"};
         f.miner.pid.clear();
       },
       {"warn node"}},
  };
}

}  // namespace

TEST_CASE("nothing is wrong with a host that is well") {
  CHECK(found(healthy()).empty());
  CHECK(judge(healthy()).size() >= 10);
}

TEST_CASE("each thing that can be wrong with a host is found, and only that") {
  for (const auto& rows : {file_rows(), host_rows(), node_rows()})
    for (const Row& row : rows) {
      INFO(row.what);
      HostFacts facts = healthy();
      row.happens(facts);
      CHECK(found(facts) == row.expected);
    }
}

TEST_CASE("who listens is found in the kernel's table") {
  const std::string table =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode\n"
      "   0: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000  0 0 111 1\n"
      "   1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 222 1\n"
      "   2: garbage\n"
      "\n";
  CHECK(listening_inode(table, 8080) == "222");
  CHECK(listening_inode(table, 8081).empty());
  CHECK(listening_inode("", 8080).empty());
}
