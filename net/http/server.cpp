#include "net/http/server.h"

#include <fmt/format.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <thread>
#include <vector>

#include "net/http/connection.h"
#include "net/http/loop.h"
#include "net/http/transport.h"

namespace eventchain::net::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// Often enough for the shortest deadline, rarely enough to cost nothing.
std::chrono::milliseconds tick_for(const Limits& limits) {
  const auto shortest =
      std::min({limits.handshake_deadline, limits.header_deadline, limits.body_deadline,
                limits.idle_deadline, limits.linger, limits.stream_keep_alive});
  return std::clamp(shortest / 4, std::chrono::milliseconds(5), std::chrono::milliseconds(1000));
}

constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr unsigned kThreadsMax = 64;

tl::unexpected<chain::Error> cannot(const char* what, const ServerOptions& options,
                                    const error_code& ec) {
  return chain::fail(chain::ErrorCode::kIo,
                     fmt::format("cannot {} {} port {}: {}; choose another address or port", what,
                                 options.address, options.port, ec.message()));
}

}  // namespace

struct Server::State {
  State(ServerOptions given, Handler handler)
      : options(std::move(given)),
        service(std::make_shared<Service>(options.limits, std::move(handler))) {
    service->observer = options.observer;
    for (unsigned i = 0; i < std::clamp(options.threads, 1U, kThreadsMax); ++i)
      loops.push_back(std::make_shared<Loop>(tick_for(options.limits), options.limits.linger));
    acceptor = std::make_unique<tcp::acceptor>(loops[0]->context());
    pause = std::make_unique<asio::steady_timer>(loops[0]->context());
    loops[0]->on_stop = [this] {
      is_accepting = false;
      error_code ignored;
      acceptor->close(ignored);
      pause->cancel();
    };
  }

  chain::Result<void> listen() {
    error_code ec;
    tcp::resolver resolver(loops[0]->context());
    const auto found = resolver.resolve(options.address, std::to_string(options.port),
                                        asio::ip::resolver_base::passive, ec);
    if (ec || found.empty()) return cannot("resolve", options, ec);
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor->open(endpoint.protocol(), ec);
    if (!ec) acceptor->set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec) acceptor->bind(endpoint, ec);
    if (!ec) acceptor->listen(asio::socket_base::max_listen_connections, ec);
    if (!ec) port = acceptor->local_endpoint(ec).port();
    if (ec) return cannot("listen on", options, ec);
    return {};
  }

  void run() {
    loops[0]->post([this] { accept(); });
    for (const auto& loop : loops) threads.emplace_back([loop] { loop->run(); });
  }

  void accept() {
    next = (next + 1) % loops.size();
    acceptor->async_accept(loops[next]->context(),
                           [this, loop = loops[next]](const error_code& ec, tcp::socket socket) {
                             if (!is_accepting) return;
                             if (!ec) {
                               welcome(loop, std::move(socket));
                               return accept();
                             }
                             // Out of descriptors, most likely: wait until some are free again.
                             pause->expires_after(kAcceptPause);
                             pause->async_wait([this](const error_code& cancelled) {
                               if (!cancelled && is_accepting) accept();
                             });
                           });
  }

  void welcome(const std::shared_ptr<Loop>& loop, tcp::socket socket) {
    error_code ec;
    const auto peer = socket.remote_endpoint(ec);
    if (ec) return;
    std::string address = peer.address().to_string();
    if (!service->admission.enter(address)) return;
    // Answers leave in one piece; waiting for more to send only adds latency.
    socket.set_option(tcp::no_delay(true), ec);
    const auto connection = std::make_shared<Connection>(
        loop, service, service->transports->make(std::move(socket)), std::move(address));
    loop->post([connection] { connection->start(); });
  }

  void stop() {
    for (const auto& loop : loops) loop->stop();
    for (std::thread& thread : threads) thread.join();
    threads.clear();
  }

  // constant after construction
  const ServerOptions options;
  const std::shared_ptr<Service> service;
  std::vector<std::shared_ptr<Loop>> loops;
  std::uint16_t port = 0;
  // owned by the first loop's thread
  std::unique_ptr<tcp::acceptor> acceptor;
  std::unique_ptr<asio::steady_timer> pause;
  std::size_t next = 0;
  bool is_accepting = true;
  // owned by the caller
  std::vector<std::thread> threads;
};

chain::Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Handler handler) {
  auto state = std::make_unique<State>(std::move(options), std::move(handler));
  if (state->options.tls) {
    auto transports = tls_transports(*state->options.tls);
    if (!transports) return tl::unexpected<chain::Error>(std::move(transports.error()));
    state->service->transports = std::move(*transports);
  } else {
    state->service->transports = plain_transports();
  }
  if (auto listening = state->listen(); !listening)
    return tl::unexpected<chain::Error>(std::move(listening.error()));
  state->run();
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() {
  stop();
}

void Server::stop() {
  state_->stop();
}
chain::Result<void> Server::reload_tls() {
  return state_->service->transports->reload();
}
std::uint16_t Server::port() const {
  return state_->port;
}
std::size_t Server::connections() const {
  return state_->service->admission.connections();
}

}  // namespace eventchain::net::http
