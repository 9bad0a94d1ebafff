#include "node/host_watch.h"

#include <doctest/doctest.h>

#include <fstream>
#include <set>

#include "node/evidence_file.h"
#include "node/link_watch.h"
#include "tests/unit/temporary_directory.h"

using namespace eventchain;
using namespace eventchain::node;
namespace fs = std::filesystem;

namespace {

void write(const fs::path& file, std::size_t bytes) {
  std::ofstream(file, std::ios::binary) << std::string(bytes, 'x');
}

chain::NodeId id(std::uint8_t number) {
  chain::NodeId made;
  made.octets[0] = number;
  return made;
}

// What the mesh tells, as it arrives.
class Listener : public net::MeshHandler {
 public:
  void peer_up(chain::NodeId, const net::Hello&) override { told += "up "; }
  void peer_down(chain::NodeId, std::string reason) override { told += reason + " "; }
  void peer_said(chain::NodeId, net::Message) override { told += "said "; }
  void peer_refused(chain::NodeId, chain::Height) override { told += "refused "; }
  std::string told;
};

std::set<chain::NodeId> unlinked(const LinkWatch& watch) {
  std::set<chain::NodeId> nodes;
  for (const auto& [node, time] : watch.unlinked_for()) {
    CHECK(time.count() >= 0);
    nodes.insert(node);
  }
  return nodes;
}

}  // namespace

TEST_CASE("a host's disk, files and evidence are told as they are now") {
  const TemporaryDirectory scratch;
  Config config;
  config.data_directory = scratch.path();
  config.disk_reserve_bytes = 7;
  const HostWatch watch(config, "1.2.3");
  HostState state = watch.state();
  CHECK(state.version == "1.2.3");
  CHECK(state.started.value > 0);
  CHECK(state.certificates.empty());
  CHECK(state.evidence_files == 0);
  REQUIRE(state.disk.has_value());
  CHECK(state.disk->database_bytes == 0);
  CHECK(state.disk->reserve_bytes == 7);
  CHECK(state.disk->size_bytes >= state.disk->free_bytes);
  write(scratch.path() / "chain.db", 100);
  write(scratch.path() / "chain.db-wal", 10);
  fs::create_directory(scratch.path() / kEvidenceFolder);
  write(scratch.path() / kEvidenceFolder / "fork.json", 1000);
  state = watch.state();
  CHECK(state.disk->database_bytes == 110);
  CHECK(state.evidence_files == 1);
}

TEST_CASE("a host without its disk is told, too") {
  Config config;
  config.data_directory = "/nowhere/at/all";
  const HostState state = HostWatch(config, "").state();
  CHECK_FALSE(state.disk.has_value());
  CHECK(state.evidence_files == 0);
}

TEST_CASE("a certificate that cannot be read is not told of") {
  const TemporaryDirectory scratch;
  HostWatch watch(Config{}, "");
  watch.read_certificate("peers", scratch.path() / "cert.pem");
  write(scratch.path() / "cert.pem", 10);
  watch.read_certificate("peers", scratch.path() / "cert.pem");
  CHECK(watch.state().certificates.empty());
}

TEST_CASE("links are told on, and remembered when they end") {
  Listener listener;
  LinkWatch watch(listener);
  const net::Hello hello{};
  CHECK(unlinked(watch).empty());
  watch.peer_up(id(1), hello);
  watch.peer_up(id(2), hello);
  CHECK(unlinked(watch).empty());
  watch.peer_said(id(1), net::Message{});
  watch.peer_down(id(1), "lost");
  CHECK(unlinked(watch) == std::set{id(1)});
  watch.peer_up(id(1), hello);
  watch.peer_down(id(2), "silent");
  CHECK(unlinked(watch) == std::set{id(2)});
  CHECK(listener.told == "up up said lost up silent ");
}
