#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "net/asio/session.h"
#include "net/peer_book.h"

namespace eventchain::net {

// One run of a mesh, from start() to stop(): listener, dials and the table of links, all on one
// thread; the peer book says whom to dial. Owned by Mesh, which makes a new one for each run.
class MeshEngine final : public SessionOwner {
 public:
  MeshEngine(const MeshOptions& options, MeshHandler& handler, LiveCounters& counters,
             OutboxTable& outboxes);

  chain::Result<void> start(const PeerTable& table);
  void stop();
  chain::Result<void> reload();     // any thread
  void set_peers(PeerTable table);  // any thread
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  // One attempt to reach a peer, until it is connected. `deadline` bounds it, by closing the
  // socket.
  struct Dial {
    Dial(boost::asio::io_context& io, Peer to)
        : peer(std::move(to)), deadline(io), resolver(io), socket(io) {}
    void give_up();

    const Peer peer;
    boost::asio::steady_timer deadline;
    boost::asio::ip::tcp::resolver resolver;
    boost::asio::ip::tcp::socket socket;
  };

  std::optional<Refusal> peer_proven(chain::NodeId peer, Origin origin) override;
  std::optional<Refusal> link_ready(const std::shared_ptr<Session>& session) override;
  void link_said(const Session& session, Message message) override;

  chain::Result<void> listen();
  chain::Result<TlsContext> load_tls() const;
  [[nodiscard]] TlsContext tls() const;
  boost::asio::awaitable<void> accept_loop();
  boost::asio::awaitable<void> serve(std::shared_ptr<Session> session);
  // True if the session was the peer's link.
  bool take_down(const std::shared_ptr<Session>& session);
  void tell_ending(const Session& session);
  void shut_down();
  [[nodiscard]] std::size_t handshakes() const;

  // mesh_dial.cpp
  void take_table(const PeerTable& table);
  // Does what the peer book wants now; to be called after everything that it was told.
  void replan();
  [[nodiscard]] bool is_valid_now(chain::NodeId peer) const;
  boost::asio::awaitable<void> dial(std::shared_ptr<Dial> dial);
  boost::asio::awaitable<boost::system::error_code> connect(std::shared_ptr<Dial> dial);
  static chain::Instant now();

  // constant after start()
  const MeshOptions& options_;
  MeshHandler& handler_;
  LiveCounters& counters_;
  OutboxTable& outboxes_;
  std::uint16_t port_ = 0;

  mutable std::mutex tls_mutex_;
  TlsContext tls_;  // guarded by tls_mutex_

  // owned by the mesh's thread once it runs
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer accept_again_;
  SessionSettings settings_;
  PeerBook book_;
  std::map<chain::NodeId, Peer> table_;
  boost::asio::steady_timer plan_again_;
  std::set<std::shared_ptr<Dial>> dials_;        // not yet connected
  std::set<std::shared_ptr<Session>> sessions_;  // all that run
  std::map<chain::NodeId, std::shared_ptr<Session>> links_;
  Session::Clock::time_point refusal_second_;
  int refusal_lines_ = 0;
  bool is_stopping_ = false;

  std::thread thread_;
};

}  // namespace eventchain::net
