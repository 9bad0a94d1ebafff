#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "net/asio/mesh.h"
#include "net/identity.h"
#include "tests/unit/net/raw_client.h"
#include "tests/unit/net/test_pki.h"

// Meshes on the loopback for tests: what they tell is recorded, and a test waits for what it wants
// to see, with a deadline that only a broken program reaches.
namespace eventchain::net::testing {

inline chain::NodeId node_id(char c) {
  return *chain::NodeId::from(std::string(16, c));
}
inline const chain::NodeId kA = node_id('a');
inline const chain::NodeId kB = node_id('b');
inline const chain::NodeId kC = node_id('c');

inline chain::StoreId store_id(char c) {
  return *chain::StoreId::from(std::string(16, c));
}
inline chain::ChainId chain_id(char c) {
  return *chain::ChainId::from(std::string(32, c));
}

inline Message tip(std::uint64_t height) {
  return TipSaid{chain::Height{height}, {}};
}

class Recorder : public MeshHandler {
 public:
  static constexpr std::chrono::seconds kDeadline{60};

  void peer_up(chain::NodeId peer, const Hello& hello) override {
    change([&] {
      ups_[peer].push_back(true);
      hellos_[peer] = hello;
    });
  }
  void peer_down(chain::NodeId peer, std::string reason) override {
    change([&] {
      ups_[peer].push_back(false);
      down_reasons_.push_back(std::move(reason));
    });
  }
  void peer_said(chain::NodeId peer, Message message) override {
    change([&] { said_[peer].push_back(std::move(message)); });
  }
  void peer_refused(chain::NodeId peer, chain::Height as_of) override {
    change([&] { refusals_[peer] = as_of; });
  }
  void logged(const std::string& line) {
    change([&] { lines_.push_back(line); });
  }

  // True as soon as `holds` does; false when the deadline has passed. `holds` may ask the mesh's
  // counters: each ending is counted, then logged.
  template <class Holds>
  bool wait(Holds holds, std::chrono::milliseconds deadline = kDeadline) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, deadline, [&] { return holds(*this); });
  }
  bool wait_up(chain::NodeId peer) {
    return wait([peer](const Recorder& seen) { return seen.is_up(peer); });
  }
  bool wait_down(chain::NodeId peer) {
    return wait([peer](const Recorder& seen) { return seen.was_up(peer) && !seen.is_up(peer); });
  }
  bool wait_said(chain::NodeId peer, std::size_t count) {
    return wait([peer, count](const Recorder& seen) { return seen.said(peer).size() >= count; });
  }

  // Within wait(), or after stop().
  [[nodiscard]] bool is_up(chain::NodeId peer) const {
    return was_up(peer) && ups_.at(peer).back();
  }
  [[nodiscard]] bool was_up(chain::NodeId peer) const { return ups_.count(peer) != 0; }
  [[nodiscard]] std::vector<bool> ups(chain::NodeId peer) const {
    return was_up(peer) ? ups_.at(peer) : std::vector<bool>();
  }
  [[nodiscard]] std::vector<Message> said(chain::NodeId peer) const {
    return said_.count(peer) != 0 ? said_.at(peer) : std::vector<Message>();
  }
  // As of which block it said last that this node is no member.
  [[nodiscard]] std::optional<chain::Height> refused_by(chain::NodeId peer) const {
    const auto found = refusals_.find(peer);
    return found == refusals_.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] const Hello& hello_of(chain::NodeId peer) const { return hellos_.at(peer); }
  [[nodiscard]] bool was_down_for(const std::string& part) const {
    return has(down_reasons_, part);
  }
  [[nodiscard]] bool was_logged(const std::string& part) const { return has(lines_, part); }

 private:
  static bool has(const std::vector<std::string>& texts, const std::string& part) {
    return std::any_of(texts.begin(), texts.end(), [&part](const std::string& text) {
      return text.find(part) != std::string::npos;
    });
  }
  template <class Change>
  void change(Change apply) {
    {
      const std::lock_guard lock(mutex_);
      apply();
    }
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  std::map<chain::NodeId, std::vector<bool>> ups_;
  std::map<chain::NodeId, std::vector<Message>> said_;
  std::map<chain::NodeId, Hello> hellos_;
  std::map<chain::NodeId, chain::Height> refusals_;
  std::vector<std::string> down_reasons_;
  std::vector<std::string> lines_;
};

// A mesh with its recorder. `allowed` are the nodes a, b and c.
class TestNode {
 public:
  TestNode(MeshOptions options) : options_(std::move(options)) {
    options_.log = [this](LogLevel, const std::string& line) { seen.logged(line); };
    mesh = std::make_unique<Mesh>(options_, seen);
  }
  ~TestNode() { mesh->stop(); }
  TestNode(const TestNode&) = delete;
  TestNode& operator=(const TestNode&) = delete;

  // True once a connection has ended so, with a line in the log that has `part`.
  bool wait_ending(Ending ending, const std::string& part, std::uint64_t count = 1) {
    return seen.wait([&](const Recorder& recorder) {
      return mesh->counters().endings[static_cast<std::size_t>(ending)] >= count &&
             recorder.was_logged(part);
    });
  }

  Recorder seen;
  std::unique_ptr<Mesh> mesh;

 private:
  MeshOptions options_;
};

class World {
 public:
  // A good certificate's names.
  static std::string uri_of(chain::NodeId node) {
    return to_uri(NodeIdentity{"example.org", "orders", node});
  }
  PkiFiles issue(chain::NodeId node) {
    return ca_.issue(chain::to_hex(node), {.names = "URI:" + uri_of(node)});
  }

  MeshOptions options(char name) {
    MeshOptions options;
    options.self = node_id(name);
    options.store = store_id(name);
    options.chain = chain_id('C');
    options.listen_host = RawClient::kHost;
    options.allowed = {node_id('a'), node_id('b'), node_id('c')};
    options.trust_domain = "example.org";
    options.chain_name = "orders";
    options.software = "test";
    options.feature_level = 3;
    options.seed = static_cast<std::uint64_t>(name);
    set_files(options, issue(options.self));
    return options;
  }

  // Of a node that dials node a at this port.
  MeshOptions dialling_a(char name, std::uint16_t port) {
    MeshOptions made = options(name);
    made.table.peers = {address('a', port)};
    return made;
  }

  static void set_files(MeshOptions& options, const PkiFiles& files) {
    options.certificate_file = files.certificate;
    options.key_file = files.key;
    options.ca_file = files.ca;
  }

  static Peer address(char name, std::uint16_t port) {
    return {node_id(name), RawClient::kHost, port, true, ""};
  }

  TestCa& ca() { return ca_; }

 private:
  TestCa ca_{"test-ca"};
};

// Nodes a and b, whose link is up at both ends; b has dialled it.
struct LinkedPair {
  explicit LinkedPair(std::chrono::milliseconds handshake = limits::kHandshakeTimeout)
      : a(with_handshake(world.options('a'), handshake)),
        b(world.dialling_a('b', started_port(a))) {
    REQUIRE(b.mesh->start().has_value());
    REQUIRE(a.seen.wait_up(kB));
    REQUIRE(b.seen.wait_up(kA));
  }

  World world;
  TestNode a;
  TestNode b;

 private:
  static MeshOptions with_handshake(MeshOptions options, std::chrono::milliseconds handshake) {
    options.timings.handshake = handshake;
    return options;
  }
  static std::uint16_t started_port(TestNode& node) {
    REQUIRE(node.mesh->start().has_value());
    return node.mesh->port();
  }
};

}  // namespace eventchain::net::testing
