#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chain/types.h"
#include "tools/eventchain/cluster_view.h"

// What `eventchain doctor` looks at on one host, as values, and what it makes of them. Gathering is
// host_facts', judging is here and pure, so that each finding has a test.
namespace eventchain::tools {

enum class CheckOutcome : std::uint8_t { kOk, kWarning, kFailure };
const char* to_string(CheckOutcome outcome);

// A line of the report.
struct HostCheck {
  std::string topic;  // "configuration", "certificates", ...
  CheckOutcome outcome = CheckOutcome::kOk;
  std::string text;
  std::string remedy = {};  // empty where all is well
};

// A file that the configuration names.
struct FileFact {
  std::string key;  // "peers.key"
  std::string path;
  bool is_there = false;
  bool is_readable = false;  // for who runs the doctor
  bool is_secret = false;
  unsigned mode = 0;  // its permissions
  unsigned owner = 0;
  unsigned group = 0;
  std::string trouble = {};  // of what is in it; empty: fine, or nobody looked
};

struct CertificateFact {
  std::string use;  // "peers" or "api"
  std::string path;
  std::string trouble = {};  // it cannot be read, or its key or authority does not fit
  std::string uri = {};
  std::string expected_uri = {};
  chain::UnixMillis not_before{};
  chain::UnixMillis not_after{};
};

struct DataFact {
  std::string path;
  bool is_directory = false;
  bool is_writable = false;  // for who runs the doctor
  unsigned mode = 0;
  unsigned owner = 0;
  unsigned group = 0;
  bool has_database = false;
  bool has_permit = false;  // store-id, for a first start
  std::string file_system = {};
  bool is_remote = false;
  bool is_in_memory = false;
  std::uint64_t free_bytes = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t reserve_bytes = 0;
  std::vector<std::chrono::microseconds> syncs = {};  // what each fsync took; empty: not measured
};

struct PortFact {
  std::string key;  // "api.listen"
  std::string address;
  enum class State : std::uint8_t { kFree, kTaken, kNoSuchAddress, kDenied } state = State::kFree;
  std::string holder = {};  // program and process id; empty: not known
  bool is_ours = false;     // the node itself has it
};

struct PeerFact {
  std::string name;  // or id
  std::string address;
  std::string trouble = {};  // empty: linked up to its certificate
  std::string uri = {};
  std::string expected_uri = {};
};

struct ClockFact {
  bool is_known = false;
  bool is_synchronised = false;
};

struct MinerFact {
  bool lends = false;            // mining.threads is not 0
  bool is_process = false;       // mining.run
  bool has_kill_switch = false;  // the file is there
  bool has_cgroups = false;      // the unified hierarchy
  std::string pid = {};          // of `eventchaind mine`; empty: not found
  std::optional<bool> gets_idle_time_alone = std::nullopt;  // its cgroup; nullopt: not known
};

struct HostFacts {
  std::string config_file;
  std::string config_trouble = {};  // then all the rest is empty
  std::string genesis_trouble = {};
  std::string deployment_trouble = {};  // configuration against genesis
  std::vector<FileFact> files = {};
  std::vector<CertificateFact> certificates = {};
  DataFact data = {};
  std::vector<PortFact> ports = {};
  std::vector<PeerFact> peers = {};
  ClockFact clock = {};
  MinerFact miner = {};
  std::uint64_t files_open_max = 0;
  bool is_limit_of_node = false;  // else of this shell
  bool runs = false;              // eventchaind is running, as far as can be seen
  unsigned user = 0;              // who runs the doctor
  std::string version = {};       // of this program
  std::string node = {};          // its id
  std::optional<ClusterView> cluster = std::nullopt;  // by way of this node's API
  chain::UnixMillis now{};
};

// In the order in which a person would look. Pure.
std::vector<HostCheck> judge(const HostFacts& facts);

}  // namespace eventchain::tools
