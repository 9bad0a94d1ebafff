#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "net/asio/counters.h"
#include "net/asio/mesh.h"
#include "net/asio/outbox.h"
#include "net/asio/tls.h"
#include "net/frame.h"
#include "net/identity.h"
#include "net/link_rules.h"

namespace eventchain::net {

class Session;

// Why a connection is not to become a link.
struct Refusal {
  Ending ending;
  std::string reason;
};

// What a session tells its owner; called on the mesh's thread.
class SessionOwner {
 public:
  // The peer has proven itself and nothing has been said: the moment to refuse it, because the peer
  // has not taken this for a link yet.
  virtual std::optional<Refusal> peer_proven(chain::NodeId peer, Origin origin) = 0;
  // The peer has said hello. Unless refused, this is its link from now on.
  virtual std::optional<Refusal> link_ready(const std::shared_ptr<Session>& session) = 0;
  virtual void link_said(const Session& session, Message message) = 0;

 protected:
  ~SessionOwner() = default;
};

// What this node says of itself on every link.
Hello hello_of(const MeshOptions& options);

// What all sessions of a mesh share; outlives them.
struct SessionSettings {
  const MeshOptions& options;
  LinkPolicy policy;  // changes with the table of peers
  LiveCounters& counters;
};

// One connection from its TLS handshake to its end. A reader and a writer coroutine and one timer,
// all on the mesh's one thread, which stands for a strand. Shared by its coroutines and the owner;
// run() holds it alive and returns when nothing of it is left running. After close() nothing that
// it read reaches the owner.
class Session : public std::enable_shared_from_this<Session> {
 public:
  using Clock = std::chrono::steady_clock;
  using Socket = boost::asio::ip::tcp::socket;

  // `dialled` is the node that must be at the other end; nullopt for an accepted connection.
  Session(Socket socket, std::optional<chain::NodeId> dialled, TlsContext tls,
          const SessionSettings& settings, SessionOwner& owner);

  static boost::asio::awaitable<void> run(std::shared_ptr<Session> self);
  // The first call ends the connection and stays the reason; later ones do nothing.
  void close(Ending ending, std::string reason);

  [[nodiscard]] Origin origin() const { return dialled_ ? Origin::kDialled : Origin::kAccepted; }
  [[nodiscard]] chain::NodeId peer() const { return peer_; }  // from the certificate
  // What it said of itself. Pre: it is a link, or about to be, or ended as kStranger.
  [[nodiscard]] const Hello& hello() const { return hello_; }
  [[nodiscard]] bool is_link() const { return linked_at_.has_value(); }
  [[nodiscard]] Clock::duration link_age() const { return Clock::now() - *linked_at_; }
  [[nodiscard]] const std::shared_ptr<Outbox>& outbox() const { return outbox_; }
  [[nodiscard]] Ending ending() const { return ending_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] std::string describe() const;

 private:
  using Stream = boost::asio::ssl::stream<Socket>;

  boost::asio::awaitable<void> live();
  boost::asio::awaitable<void> shake_hands();
  boost::asio::awaitable<void> greet();
  boost::asio::awaitable<void> converse();
  boost::asio::awaitable<void> read_loop();
  // "": a ping; nullopt: the session is closed.
  boost::asio::awaitable<std::optional<chain::Bytes>> read_payload();
  static boost::asio::awaitable<void> write_loop(std::shared_ptr<Session> self);
  boost::asio::awaitable<void> write_all(chain::Bytes run);
  void check_peer();
  void check_hello(const chain::Result<Message>& first);
  void outbox_changed();
  void arm_handshake_timer();
  void arm_watch();
  void watch();

  // constant after construction
  const std::optional<chain::NodeId> dialled_;
  const TlsContext tls_;
  const SessionSettings& settings_;
  SessionOwner& owner_;
  const std::string address_;

  // owned by the mesh's thread
  Stream stream_;
  boost::asio::steady_timer watch_timer_;
  boost::asio::steady_timer wake_writer_;
  boost::asio::steady_timer writer_gone_;
  chain::Bytes read_buffer_;
  FrameReader frames_{limits::kHelloBytesMax};
  std::shared_ptr<Outbox> outbox_;
  chain::NodeId peer_;
  std::optional<Refusal> refusal_;  // to be told with the hello; the session ends then
  Hello hello_;
  std::optional<Clock::time_point> linked_at_;
  Clock::time_point heard_at_;
  Clock::time_point sent_at_;  // last progress of the writer
  bool is_writing_ = false;
  bool is_ping_due_ = false;
  bool is_writer_gone_ = false;
  bool is_closed_ = false;
  Ending ending_ = Ending::kLost;
  std::string reason_;
};

}  // namespace eventchain::net
