#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "chain/result.h"
#include "chain/types.h"
#include "net/limits.h"
#include "net/messages.h"
#include "net/peer_book.h"

namespace eventchain::net {

struct MeshTimings {
  std::chrono::milliseconds handshake = limits::kHandshakeTimeout;
  std::chrono::milliseconds idle = limits::kIdleTimeout;
  std::chrono::milliseconds ping = limits::kPingInterval;
  // Before the next connection is accepted when the host cannot take one.
  std::chrono::milliseconds accept_again = limits::kDialDelayFirst;
};

enum class LogLevel { kDebug, kInfo, kWarning };

struct MeshOptions {
  std::string listen_host;             // numeric address
  std::uint16_t listen_port = 0;       // 0: any free one, see Mesh::port()
  PeerTable table;                     // until set_peers() brings another
  std::vector<chain::NodeId> allowed;  // may link besides those in the table
  PeerRules rules;
  std::string certificate_file;  // PEM
  std::string key_file;
  std::string ca_file;
  std::string trust_domain;
  std::string chain_name;
  chain::NodeId self;
  chain::StoreId store;  // of this node's disk
  chain::ChainId chain;
  std::string software;
  std::uint16_t feature_level = 1;  // the highest that this program can do
  std::uint64_t seed = 0;           // of the choice of peers and of the jitter between dials
  MeshTimings timings;
  // Called from the mesh's thread and from those that send.
  std::function<void(LogLevel, const std::string&)> log = [](LogLevel, const std::string&) {};
};

// How a connection came to its end. Those up to kDuplicate never became a link.
enum class Ending : std::uint8_t {
  kTls,          // no TLS 1.3, or no certificate of a trusted CA
  kIdentity,     // not the certificate of another node of this chain
  kUnknownNode,  // a node that is not allowed
  kStranger,     // the peer says that this node is no member
  kHello,        // other chain, other protocol, other node than its certificate says
  kTimeout,      // the handshake took too long
  kTooMany,      // too many handshakes at once
  kNotValid,     // its membership does not count yet, or no more
  kFull,         // no room for another link of a node that does not vote
  kTooOften,     // the peer opens links faster than a correct one does
  kDuplicate,    // there is a link already
  kSuperseded,   // a newer connection to the same peer took its place
  kMalformed,    // a frame that no correct node sends
  kSilent,       // nothing heard, pings included
  kTooSlow,      // the peer does not read fast enough
  kHungUp,       // the node's own wish, or another link took its place
  kRemoved,      // a node that is not allowed any more
  kLost,         // closed by the peer or broken
  kStopped,      // this mesh stops
};
inline constexpr std::size_t kEndings = 19;
const char* to_string(Ending ending);

struct MeshCounters {
  std::uint64_t links = 0;
  std::uint64_t bytes_in = 0;  // before encryption, framing included
  std::uint64_t bytes_out = 0;
  std::uint64_t pings_in = 0;
  std::uint64_t dials_failed = 0;
  std::uint64_t too_large_to_send = 0;
  std::array<std::uint64_t, kMessageKinds> frames_in{};
  std::array<std::uint64_t, kMessageKinds> frames_out{};  // queued for a live link
  std::array<std::uint64_t, kEndings> endings{};
};

// All calls come from the mesh's own thread and must not block: it serves every link.
class MeshHandler {
 public:
  virtual ~MeshHandler() = default;
  // Calls for one peer alternate: up, what it said, down. `hello` is what it says of itself.
  virtual void peer_up(chain::NodeId peer, const Hello& hello) = 0;
  virtual void peer_down(chain::NodeId peer, std::string reason) = 0;
  virtual void peer_said(chain::NodeId peer, Message message) = 0;
  // Instead of a link: `peer` does not know this node as a member, as of that block.
  virtual void peer_refused(chain::NodeId peer, chain::Height as_of) = 0;
};

// The node's links to its peers: listens, dials whom the peer book names, proves who is there and
// carries messages. It decides nothing about what they mean. Owned by the node; start() and stop()
// by one thread, as often as wanted; everything else from any thread. It has one thread of its own.
// A message goes to the link that is live when it is sent, in order within its priority class; what
// a link had not yet delivered when it ended is lost, and peer_down tells so.
class Mesh {
 public:
  Mesh(MeshOptions options, MeshHandler& handler);
  ~Mesh();
  Mesh(const Mesh&) = delete;
  Mesh& operator=(const Mesh&) = delete;

  // Reads the certificates, binds the listener, starts the thread.
  chain::Result<void> start();
  // Ends every link (peer_down is called for each), then the thread. No call to the handler after
  // it. Not from the handler.
  void stop();
  // Reads the certificate files again; new connections use them, links stay as they are.
  chain::Result<void> reload();
  // Who may link and whom to dial from now on, this run and later ones. Links to nodes that are not
  // in the table (nor allowed by the options) end; others are made and left as the peer book says.
  void set_peers(PeerTable table);

  void send(chain::NodeId peer, const Message& message);
  // Encodes once for all of them.
  void send(const std::vector<chain::NodeId>& peers, const Message& message);
  void hang_up(chain::NodeId peer, std::string reason);

  // The port listened on; 0 when stopped.
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] MeshCounters counters() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace eventchain::net
