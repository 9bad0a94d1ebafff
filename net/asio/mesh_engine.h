#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "chain/rng.h"
#include "net/asio/session.h"

namespace eventchain::net {

// One run of a mesh, from start() to stop(): listener, dialers and the table of links, all on one
// thread. Owned by Mesh, which makes a new one for each run.
class MeshEngine final : public SessionOwner {
 public:
  MeshEngine(const MeshOptions& options, MeshHandler& handler, LiveCounters& counters,
             OutboxTable& outboxes);

  chain::Result<void> start();
  void stop();
  chain::Result<void> reload();  // any thread
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  // One peer to be dialled. The timer is both the wait between dials and the wait for the end of
  // a link; `deadline` bounds the connect, which the socket's close ends.
  struct Dialer {
    Dialer(boost::asio::io_context& io, const PeerAddress& to, chain::Rng jitter)
        : address(to), rng(jitter), timer(io), deadline(io), resolver(io), socket(io) {}
    PeerAddress address;
    chain::Rng rng;
    boost::asio::steady_timer timer;
    boost::asio::steady_timer deadline;
    boost::asio::ip::tcp::resolver resolver;
    boost::asio::ip::tcp::socket socket;
    bool has_failed = false;  // so that only the first of many failures is told at length
  };

  bool link_ready(const std::shared_ptr<Session>& session) override;
  void link_said(const Session& session, Message message) override;

  chain::Result<void> listen();
  chain::Result<TlsContext> load_tls() const;
  [[nodiscard]] TlsContext tls() const;
  boost::asio::awaitable<void> accept_loop();
  boost::asio::awaitable<void> dial_loop(Dialer& dialer);
  // True if it became a link.
  boost::asio::awaitable<bool> dial(Dialer& dialer);
  boost::asio::awaitable<boost::system::error_code> connect(Dialer& dialer);
  boost::asio::awaitable<void> serve(std::shared_ptr<Session> session);
  void take_down(const std::shared_ptr<Session>& session);
  void tell_ending(const Session& session);
  void shut_down();
  [[nodiscard]] std::size_t handshakes() const;

  // constant after start()
  const MeshOptions& options_;
  MeshHandler& handler_;
  LiveCounters& counters_;
  OutboxTable& outboxes_;
  SessionSettings settings_;
  std::uint16_t port_ = 0;

  mutable std::mutex tls_mutex_;
  TlsContext tls_;  // guarded by tls_mutex_

  // owned by the mesh's thread once it runs
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer accept_again_;
  std::vector<std::unique_ptr<Dialer>> dialers_;
  std::set<std::shared_ptr<Session>> sessions_;  // all that run
  std::map<chain::NodeId, std::shared_ptr<Session>> links_;
  Session::Clock::time_point refusal_second_;
  int refusal_lines_ = 0;
  bool is_stopping_ = false;

  std::thread thread_;
};

}  // namespace eventchain::net
