// The dialling half of the mesh's engine: from the peer book's wish to a link.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "net/asio/mesh_engine.h"

namespace eventchain::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

// What reaches this is our own bug, not the world's doing: sessions catch their own exceptions.
void rethrow(std::exception_ptr error) {
  if (error) std::rethrow_exception(error);
}

}  // namespace

void MeshEngine::Dial::give_up() {
  error_code ignored;  // closing is all there is to do
  deadline.cancel();
  resolver.cancel();
  socket.close(ignored);
}

chain::Instant MeshEngine::now() {
  return {Session::Clock::now().time_since_epoch()};
}

void MeshEngine::take_table(const PeerTable& table) {
  if (is_stopping_) return;
  std::set<chain::NodeId>& allowed = settings_.policy.allowed;
  allowed = {options_.allowed.begin(), options_.allowed.end()};
  settings_.policy.as_of = table.as_of;
  table_.clear();
  for (const Peer& peer : table.peers) {
    allowed.insert(peer.node);
    table_[peer.node] = peer;
  }
  book_.set_table(table);
  for (const auto& [node, session] : links_)
    if (allowed.count(node) == 0) session->close(Ending::kRemoved, "no longer a member");
  replan();
}

bool MeshEngine::is_valid_now(chain::NodeId peer) const {
  const auto known = table_.find(peer);
  if (known == table_.end()) return true;
  const std::int64_t at = std::chrono::duration_cast<std::chrono::milliseconds>(
                              std::chrono::system_clock::now().time_since_epoch())
                              .count();
  const chain::UnixMillis until = known->second.valid_until;
  return at >= known->second.valid_from.value && (until.value == 0 || at <= until.value);
}

void MeshEngine::replan() {
  if (is_stopping_) return;
  PeerBook::Plan plan = book_.next(now());
  for (const chain::NodeId& node : plan.hang_up)
    links_.at(node)->close(Ending::kHungUp, "a link to another node takes its place");
  for (Peer& peer : plan.dial) {
    auto attempt = std::make_shared<Dial>(io_, std::move(peer));
    dials_.insert(attempt);
    asio::co_spawn(io_, dial(std::move(attempt)), rethrow);
  }
  if (!plan.ask_again) {
    plan_again_.cancel();
    return;
  }
  plan_again_.expires_at(Session::Clock::time_point(plan.ask_again->since_start));
  plan_again_.async_wait([this](error_code cancelled) {
    if (!cancelled) replan();
  });
}

asio::awaitable<void> MeshEngine::dial(std::shared_ptr<Dial> dial) {
  const Peer& peer = dial->peer;
  const error_code error = co_await connect(dial);
  dials_.erase(dial);
  if (is_stopping_) co_return;
  if (error) {
    ++counters_.dials_failed;
    const int failures = book_.dial_failed(peer.node, DialFailure::kUnreachable, now());
    options_.log(failures > 1 ? LogLevel::kDebug : LogLevel::kInfo,
                 "cannot reach node " + chain::to_hex(peer.node) + " at " + peer.host + ":" +
                     std::to_string(peer.port) + ": " + error.message() + "; trying again");
  } else if (links_.count(peer.node) != 0) {
    // The peer has dialled us meanwhile.
    book_.dial_failed(peer.node, DialFailure::kRefused, now());
  } else {
    auto session =
        std::make_shared<Session>(std::move(dial->socket), peer.node, tls(), settings_, *this);
    co_await serve(session);
    if (!session->is_link()) book_.dial_failed(peer.node, DialFailure::kRefused, now());
  }
  replan();
}

asio::awaitable<error_code> MeshEngine::connect(std::shared_ptr<Dial> dial) {
  dial->deadline.expires_after(options_.timings.handshake);
  dial->deadline.async_wait([dial](error_code cancelled) {
    if (!cancelled) dial->give_up();
  });
  const std::string port = std::to_string(dial->peer.port);
  auto [error, endpoints] = co_await dial->resolver.async_resolve(
      dial->peer.host, port, tcp::resolver::numeric_service, kAsTuple);
  if (!error && !is_stopping_) {
    const auto [connect_error, endpoint] =
        co_await asio::async_connect(dial->socket, endpoints, kAsTuple);
    error = connect_error;
  }
  dial->deadline.cancel();
  co_return error;
}

}  // namespace eventchain::net
