#include "node/config.h"

#include <doctest/doctest.h>

#include <fstream>

#include "node/core.h"

using namespace eventchain;
using namespace eventchain::node;

namespace {

constexpr std::string_view kGood = R"(
[node]
id = "00112233445566778899aabbccddeeff"
data = "data"
genesis = "/etc/genesis.json"
signing_key = "signing.key.pem"
[api]
listen = "127.0.0.1:8100"
tls = false
)";

chain::Result<Config> read(std::string_view toml, const Overrides& environment = {},
                           const Overrides& flags = {}) {
  return parse_config(toml, "node.toml", "/base", environment, flags);
}

std::string error_of(std::string_view toml, const Overrides& flags = {}) {
  const auto config = read(toml, {}, flags);
  return config ? std::string("no error") : config.error().message;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

TEST_CASE("a file sets what it names and leaves the rest at its defaults") {
  const auto config = read(kGood);
  REQUIRE_MESSAGE(config.has_value(), config.error().message);
  CHECK(to_hex(config->node) == "00112233445566778899aabbccddeeff");
  CHECK(config->data_directory == "/base/data");
  CHECK(config->genesis_file == "/etc/genesis.json");
  CHECK(config->api_listen == HostPort{"127.0.0.1", 8100});
  CHECK(config->election_timeout == std::chrono::milliseconds(1000));
  CHECK(config->pool.events_max == 1'000'000);
}

TEST_CASE("how often the Raft log is cut and how much of it stays are settings") {
  const auto usual = read(kGood);
  REQUIRE(usual.has_value());
  CHECK(usual->snapshot_every == CoreOptions{}.snapshot_every);
  CHECK(usual->snapshot_trailing == CoreOptions{}.snapshot_trailing);
  const auto config =
      read(std::string(kGood) + "[consensus]\nsnapshot_every = 100000\nsnapshot_trailing = 1\n");
  REQUIRE_MESSAGE(config.has_value(), config.error().message);
  CHECK(config->snapshot_every == 100'000);
  CHECK(config->snapshot_trailing == 1);
}

TEST_CASE("a node is a full one unless it is said to be light") {
  CHECK_FALSE(read(kGood)->light);
  CHECK(read(kGood, {{"node.light", "true"}})->light);
  CHECK(contains(error_of(kGood, {{"node.light", "yes"}}), "node.light"));
}

TEST_CASE("operators are a list of clients' names, and certificates are a program's to make") {
  const std::string api = std::string(kGood) + "operators = ";
  const auto config = read(api + "[\"alice\", \"on-call.2\"]\n[cluster]\nca_command = \"sign\"\n");
  REQUIRE_MESSAGE(config.has_value(), config.error().message);
  CHECK(config->api_operators == std::vector<std::string>{"alice", "on-call.2"});
  CHECK(config->ca_command == "/base/sign");
  CHECK(read(kGood)->api_operators.empty());
  CHECK(read(kGood)->ca_command.empty());
  const auto outside = read(kGood, {{"api.operators", "alice,bob"}});
  REQUIRE_MESSAGE(outside.has_value(), outside.error().message);
  CHECK(outside->api_operators == std::vector<std::string>{"alice", "bob"});
  for (const char* wrong : {"\"alice\"\n", "[1]\n", "[\"Alice\"]\n", "[\"\"]\n", "true\n"}) {
    CAPTURE(wrong);
    CHECK(contains(error_of(api + wrong), "api.operators"));
  }
  CHECK(contains(error_of(kGood, {{"api.operators", "alice,,bob"}}), "api.operators"));
}

TEST_CASE("what a node lends has a cap, bounds, times and a kill switch") {
  const auto config = read(std::string(kGood) +
                           "[mining]\nthreads = 2\nduty_percent = 60\ncap_percent = 30\n"
                           "stop_above = 80\nresume_below = 40\nsteal_above = 5\n"
                           "windows = [\"Sat,Sun 00:00-24:00\", \"daily 22:00-05:00\"]\n"
                           "kill_switch = \"stop-mining\"\n");
  REQUIRE_MESSAGE(config.has_value(), config.error().message);
  CHECK(config->mining_threads == 2);
  CHECK(config->mining.thread_percent == 60);
  CHECK(config->mining.cap_percent == 30);
  CHECK(config->mining.stop_above == 80);
  CHECK(config->mining.resume_below == 40);
  CHECK(config->mining.steal_above == 5);
  CHECK(config->mining.windows.contains(5 * mining::kMinutesPerDay + 12 * 60));
  CHECK_FALSE(config->mining.windows.contains(12 * 60));
  CHECK(config->mining_kill_switch == "/base/stop-mining");
  const auto outside = read(kGood, {{"mining.windows", "Mon,Tue 01:00-02:00;Sun 03:00-04:00"}});
  REQUIRE_MESSAGE(outside.has_value(), outside.error().message);
  CHECK(outside->mining.windows.contains(mining::kMinutesPerDay + 60));
  CHECK_FALSE(outside->mining.windows.contains(mining::kMinutesPerDay + 180));
  CHECK(read(kGood)->mining.windows.is_always());
}

TEST_CASE("a node mines with threads of its own, or for a process at a socket") {
  const auto usual = read(kGood);
  REQUIRE(usual.has_value());
  CHECK(usual->mining_run == MiningRun::kThreads);
  CHECK(miner_socket(*usual) == "/base/data/miner.sock");
  const std::string own = "[mining]\nrun = \"process\"\n";
  const auto process =
      read(std::string(kGood) + own + "socket = \"run/s\"\nsocket_group = \"miners\"\n");
  REQUIRE_MESSAGE(process.has_value(), process.error().message);
  CHECK(process->mining_run == MiningRun::kProcess);
  CHECK(miner_socket(*process) == "/base/run/s");
  CHECK(process->mining_socket_group == "miners");
  CHECK(
      contains(error_of(std::string(kGood) + "[mining]\nrun = \"cluster\"\n"), "threads, process"));
  const std::string far = "socket = \"" + std::string(200, 'x') + "\"\n";
  CHECK(contains(error_of(std::string(kGood) + own + far), "107 octets"));
  CHECK(read(std::string(kGood) + "[mining]\n" + far).has_value());
}

TEST_CASE("a miner process needs its own settings alone") {
  const auto read_miner = [](const std::string& toml, const Overrides& flags = {}) {
    return parse_miner_config(toml, "miner.toml", "/base", {}, flags);
  };
  const auto config = read_miner("[mining]\nsocket = \"/run/s\"\ncap_percent = 30\n");
  REQUIRE_MESSAGE(config.has_value(), config.error().message);
  CHECK(miner_socket(*config) == "/run/s");
  CHECK(config->mining.cap_percent == 30);
  CHECK(read_miner(std::string(kGood)).has_value());
  const auto error = [&read_miner](const std::string& toml) {
    const auto read = read_miner(toml);
    return read ? std::string("no error") : read.error().message;
  };
  CHECK(contains(error("[mining]\ncap_percent = 30\n"), "mining.socket"));
  CHECK(contains(error("[mining]\nsocket = \"s\"\nthreads = 0\n"), "mining.threads"));
  CHECK(contains(error("[mining]\nsocket = \"s\"\nresume_below = 99\n"), "resume_below"));
  CHECK(contains(error("[mining]\nsocket = \"s\"\nsockets = 2\n"), "unknown key"));
}

TEST_CASE("flags win over the environment, the environment over the file") {
  const Overrides environment = {{"api.listen", "127.0.0.1:1"}, {"mining.threads", "3"}};
  const Overrides flags = {{"api.listen", "[::1]:2"}, {"log.format", "json"}};
  const auto config = read(kGood, environment, flags);
  REQUIRE_MESSAGE(config.has_value(), config.error().message);
  CHECK(config->api_listen == HostPort{"::1", 2});
  CHECK(config->mining_threads == 3);
  CHECK(config->log_format == LogFormat::kJson);
}

TEST_CASE("an unknown key names its line and the nearest key") {
  const std::string said = error_of(std::string(kGood) + "[mining]\nthread = 1\n");
  CHECK(contains(said, "mining.thread"));
  CHECK(contains(said, "line 11"));
  CHECK(contains(said, "did you mean mining.threads?"));
  CHECK(contains(error_of("[minig]\nthreads = 1\n"), "minig.threads"));
  CHECK(contains(error_of("threads = 1\n"), "unknown key threads"));
  CHECK(contains(error_of(kGood, {{"api.lissten", "x"}}), "did you mean api.listen?"));
}

TEST_CASE("wrong values are refused with key, place and remedy") {
  struct Case {
    const char* key;
    const char* value;  // as it stands in the file
    const char* says;
  };
  const Case cases[] = {
      {"mining.threads", "-1", "from 0 to 255"},
      {"mining.threads", "256", "from 0 to 255"},
      {"mining.threads", "\"1\"", "must be an integer"},
      {"mining.threads", "1.5", "must be a string, an integer or true/false"},
      {"mining.threads", "[1]", "must be a string, an integer or true/false"},
      {"mining.duty_percent", "0", "from 1 to 100"},
      {"mining.cap_percent", "101", "from 1 to 100"},
      {"mining.stop_above", "0", "from 1 to 100"},
      {"mining.resume_below", "70", "at most mining.stop_above"},
      {"mining.steal_above", "0", "from 1 to 100"},
      {"mining.windows", "\"daily 01:00-02:00\"", "must be a list of strings"},
      {"mining.windows", "[\"daily 1-2\"]", "'daily 1-2' is no window"},
      {"mining.kill_switch", "\"\"", "must name a file"},
      {"log.level", "\"loud\"", "must be one of: debug, info, warning, error"},
      {"log.level", "1", "must be a string in quotes"},
      {"pool.events_max", "9223372036854775807", "must be an integer"},
      {"consensus.heartbeat_ms", "900", "three times"},
      {"consensus.snapshot_every", "0", "from 1 to 100000"},
      {"consensus.snapshot_every", "100001", "from 1 to 100000"},
      {"consensus.snapshot_trailing", "0", "from 1 to 100000"},
      {"consensus.snapshot_trailing", "100001", "from 1 to 100000"},
      {"disk.reserve_bytes", "-5", "must be an integer"},
      {"peers.listen", "\"nowhere\"", "write host:port"},
      {"peers.listen", "\"0.0.0.0:7\"", "peers.key and peers.ca are needed"},
  };
  for (const Case& one : cases) {
    const std::string key = one.key;
    const std::size_t dot = key.find('.');
    const std::string said = error_of(std::string(kGood) + "[" + key.substr(0, dot) + "]\n" +
                                      key.substr(dot + 1) + " = " + one.value + "\n");
    CAPTURE(key);
    CAPTURE(said);
    CHECK(contains(said, one.says));
    CHECK(contains(said, key.substr(0, dot)));
  }
  CHECK(contains(error_of(kGood, {{"mining.threads", "many"}}), "mining.threads (flag)"));
  CHECK(contains(error_of(kGood, {{"api.tls", "yes"}}), "must be true or false"));
  CHECK(contains(error_of(kGood, {{"node.store", "00"}}), "must be a store id"));
  CHECK(contains(error_of("[node\n"), "node.toml line 1"));
  CHECK(contains(error_of(std::string(kGood) + "[api]\nthreads = 1\n"), "line"));
}

TEST_CASE("what a node cannot run without is asked for by name") {
  CHECK(contains(error_of(""), "node.id"));
  CHECK(contains(error_of("[node]\nid = \"00\"\n"), "32 lower-case hexadecimal digits"));
  const auto without_listen =
      "[node]\nid=\"00112233445566778899aabbccddeeff\"\ndata=\"d\"\ngenesis=\"g\"\n"
      "signing_key=\"k\"\n";
  CHECK(contains(error_of(without_listen), "api.listen"));
}

TEST_CASE("clients are served without TLS on loopback only") {
  for (const char* address : {"127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "localhost:1"})
    CHECK(read(kGood, {}, {{"api.listen", address}}).has_value());
  for (const char* address : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "127.example.org:1", "db1:1"})
    CHECK(contains(error_of(kGood, {{"api.listen", address}}), "loopback"));
  const Overrides tls = {{"api.listen", "0.0.0.0:1"}, {"api.tls", "true"}};
  CHECK(contains(error_of(kGood, tls), "api.certificate"));
  Overrides complete = tls;
  complete["api.certificate"] = "/c";
  complete["api.key"] = "/k";
  CHECK(read(kGood, {}, complete).has_value());
}

TEST_CASE("peers need an id and an address and are not this node") {
  const std::string links =
      "[peers]\nlisten = \"0.0.0.0:7\"\ncertificate = \"c\"\nkey = \"k\"\nca = \"a\"\n";
  const auto with = [&](std::string_view peer) {
    return std::string(kGood) + links + "[[peers.nodes]]\n" + std::string(peer);
  };
  const auto config =
      read(with("id = \"112233445566778899aabbccddeeff00\"\naddress = \"db2:7100\"\n"));
  REQUIRE_MESSAGE(config.has_value(), config.error().message);
  REQUIRE(config->peers.size() == 1);
  CHECK(config->peers[0].address == HostPort{"db2", 7100});
  CHECK(config->peers_tls.ca == "/base/a");
  CHECK(contains(error_of(with("address = \"db2:7100\"\n")), "both id and address"));
  CHECK(contains(
      error_of(with("id = \"112233445566778899aabbccddeeff00\"\naddress = \"x:1\"\nport = 1\n")),
      "unknown key"));
  CHECK(contains(error_of(with("id = \"00112233445566778899aabbccddeeff\"\naddress = \"x:1\"\n")),
                 "this node itself"));
  CHECK(contains(error_of(std::string(kGood) +
                          "[[peers.nodes]]\nid = \"112233445566778899aabbccddeeff00\"\naddress = "
                          "\"x:1\"\n"),
                 "peers.listen"));
}

TEST_CASE(
    "witnesses are named by key and URL, a majority of them is enough unless more are asked for") {
  constexpr const char* kFirst =
      "[[witnesses.nodes]]\n"
      "key = \"witness.example/w1+eb762cc2+BNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea\"\n"
      "url = \"https://w1.example:8200/x\"\n";
  const std::string ca = "ca = \"sister.pem\"\n";
  const auto config =
      read(std::string(kGood) + ("[witnesses]\ninterval_s = 5\n" + std::string(kFirst) + ca));
  REQUIRE_MESSAGE(config.has_value(), config.error().message);
  REQUIRE(config->witnesses.nodes.size() == 1);
  CHECK(config->witnesses.nodes[0].verifier.name == "witness.example/w1");
  CHECK(config->witnesses.nodes[0].url == "https://w1.example:8200/x");
  CHECK(config->witnesses.nodes[0].ca == "/base/sister.pem");
  CHECK(config->witnesses.needed() == 1);
  CHECK(config->witnesses.interval == std::chrono::seconds(5));
  CHECK(read(kGood)->witnesses.nodes.empty());
  const std::string good(kGood);
  CHECK(contains(error_of(good + kFirst + kFirst), "listed twice"));
  CHECK(contains(error_of(good + "[witnesses]\nquorum = 2\n" + kFirst), "witnesses.quorum"));
  CHECK(contains(error_of(good + "[witnesses]\nquorum = 1\n"), "witnesses.quorum"));
  CHECK(contains(error_of(good + kFirst, {{"node.light", "true"}}), "light member"));
  CHECK(contains(error_of(good + "[[witnesses.nodes]]\nurl = \"http://w1\"\n"), "key and url"));
  CHECK(contains(error_of(good + kFirst + "port = 1\n"), "unknown key"));
  CHECK(contains(error_of(good + "[[witnesses.nodes]]\nurl = \"w1\"\n"), "is no URL"));
  CHECK(contains(error_of(good + "[[witnesses.nodes]]\nkey = \"w1\"\n"), "name+id+key"));
}

TEST_CASE("a witness has a directory and logs, each with keys and a majority of them") {
  const std::string good = std::string(kGood) + "[witness]\ndirectory = \"w\"\n";
  const std::string first =
      "\"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\"";
  const std::string log = "[[witness.logs]]\nkeys = [" + first + "]\n";
  const auto config = read(good + log);
  REQUIRE_MESSAGE(config.has_value(), config.error().message);
  CHECK(config->witness.directory == "/base/w");
  CHECK(config->witness.listen.host.empty());
  REQUIRE(config->witness.logs.size() == 1);
  CHECK(config->witness.logs[0].origin == "PeterNeumann");
  CHECK(config->witness.logs[0].quorum == 1);
  CHECK(read(good + log + "origin = \"log.example\"\n")->witness.logs[0].origin == "log.example");
  CHECK(contains(error_of(good), "belong together"));
  // Where the unit of the package lets the node write.
  const auto unsaid = read(std::string(kGood) + log);
  REQUIRE_MESSAGE(unsaid.has_value(), unsaid.error().message);
  CHECK(unsaid->witness.directory == unsaid->data_directory / "witness");
  CHECK(read(kGood)->witness.directory.empty());
  CHECK(read(std::string(kGood) + "[witness]\nlisten = \"127.0.0.1:1\"\ntls = false\n" + log)
            .has_value());
  CHECK(contains(error_of(good + log + "quorum = 2\n"), "greater than"));
  CHECK(contains(error_of(good + log + log), "listed twice"));
  CHECK(contains(error_of(good + "[[witness.logs]]\nquorum = 1\n"), "needs keys"));
  CHECK(contains(error_of(good + "[[witness.logs]]\nkeys = []\n"), "1 to 64"));
  CHECK(contains(error_of(good + "[[witness.logs]]\nkeys = [" + first + "," + first + "]\n"),
                 "twice"));
  CHECK(contains(error_of(std::string(kGood) + "[witness]\nlisten = \"0.0.0.0:1\"\n"),
                 "witness.directory"));
  CHECK(contains(error_of(good + "listen = \"0.0.0.0:1\"\ntls = false\n" + log), "loopback"));
  CHECK(contains(error_of(good + "listen = \"0.0.0.0:1\"\n" + log), "witness.certificate"));
  CHECK(read(good + "listen = \"127.0.0.1:1\"\ntls = false\n" + log).has_value());
}

TEST_CASE("addresses are host and port") {
  CHECK(parse_host_port("a.b:1") == HostPort{"a.b", 1});
  CHECK(parse_host_port("[::1]:65535") == HostPort{"::1", 65535});
  for (const char* bad :
       {"", ":", "a", "a:", ":1", "a:65536", "a:-1", "a:1x", "::1:1", "[]:1", "[::1]"})
    CHECK_FALSE(parse_host_port(bad).has_value());
}

TEST_CASE("environment variables name settings, and a misspelt one is an error") {
  const char* const good[] = {"PATH=/bin", "EVENTCHAIN_API_LISTEN=127.0.0.1:5",
                              "EVENTCHAIN_CONSENSUS_ELECTION_TIMEOUT_MS=500",
                              "EVENTCHAIN_ENDPOINT=x", nullptr};
  const auto overrides = overrides_from_environment(good);
  REQUIRE(overrides.has_value());
  CHECK(*overrides ==
        Overrides{{"api.listen", "127.0.0.1:5"}, {"consensus.election_timeout_ms", "500"}});
  const char* const bad[] = {"EVENTCHAIN_API_LISTN=x", nullptr};
  const auto refused = overrides_from_environment(bad);
  REQUIRE_FALSE(refused.has_value());
  CHECK(contains(refused.error().message, "EVENTCHAIN_API_LISTN"));
}

TEST_CASE("the example keeps a witness below the node's data, as it is without a word") {
  std::ifstream stream(std::string(EVENTCHAIN_TEST_DATA) +
                       "/../../deploy/eventchaind.example.toml");
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  CHECK(contains(text, "\ndata = \"/var/lib/eventchain\"\n"));
  CHECK(contains(text, "\n#   directory = \"/var/lib/eventchain/witness\"\n"));
}

TEST_CASE("the shipped example is a valid configuration and shows every default as it is") {
  const std::string file =
      std::string(EVENTCHAIN_TEST_DATA) + "/../../deploy/eventchaind.example.toml";
  const auto shipped = load_config(file, {}, {});
  REQUIRE_MESSAGE(shipped.has_value(), shipped.error().message);
  CHECK(shipped->peers.size() == 2);

  // "# key = value" becomes a setting; the result must not differ.
  std::ifstream stream(file);
  std::string spelled_out;
  int defaults = 0;
  for (std::string line; std::getline(stream, line);) {
    const std::size_t equals = line.find(" = ");
    const bool is_default =
        line.rfind("# ", 0) == 0 && equals != std::string::npos && line.find(' ', 2) == equals;
    defaults += is_default ? 1 : 0;
    spelled_out += (is_default ? line.substr(2) : line) + "\n";
  }
  CHECK(defaults >= 10);
  const auto full = read(spelled_out);
  REQUIRE_MESSAGE(full.has_value(), full.error().message);
  CHECK(full->light == shipped->light);
  CHECK(full->api_tls == shipped->api_tls);
  CHECK(full->api_threads == shipped->api_threads);
  CHECK(full->mining_threads == shipped->mining_threads);
  CHECK(full->mining.cap_percent == shipped->mining.cap_percent);
  CHECK(full->mining.stop_above == shipped->mining.stop_above);
  CHECK(full->mining.resume_below == shipped->mining.resume_below);
  CHECK(full->mining.steal_above == shipped->mining.steal_above);
  CHECK(full->mining.thread_percent == shipped->mining.thread_percent);
  CHECK(full->mining.windows == shipped->mining.windows);
  CHECK(full->mining_kill_switch == shipped->mining_kill_switch);
  CHECK(full->mining_run == shipped->mining_run);
  CHECK(full->election_timeout == shipped->election_timeout);
  CHECK(full->heartbeat_interval == shipped->heartbeat_interval);
  CHECK(full->snapshot_every == shipped->snapshot_every);
  CHECK(full->snapshot_trailing == shipped->snapshot_trailing);
  CHECK(full->pool.events_max == shipped->pool.events_max);
  CHECK(full->pool.bytes_max == shipped->pool.bytes_max);
  CHECK(full->disk_reserve_bytes == shipped->disk_reserve_bytes);
  CHECK(full->log_level == shipped->log_level);
  CHECK(full->log_format == shipped->log_format);
}

TEST_CASE("a file that is not there is an error that names it") {
  const auto config = load_config("/nonexistent/node.toml", {}, {});
  REQUIRE_FALSE(config.has_value());
  CHECK(contains(config.error().message, "/nonexistent/node.toml"));
}
