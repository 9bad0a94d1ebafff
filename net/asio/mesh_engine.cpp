#include "net/asio/mesh_engine.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "net/codec.h"
#include "net/limits.h"

namespace eventchain::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using chain::ErrorCode;
using chain::Result;

namespace {

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

// What reaches this is our own bug, not the world's doing: sessions catch their own exceptions.
void rethrow(std::exception_ptr error) {
  if (error) std::rethrow_exception(error);
}

LinkPolicy policy_of(const MeshOptions& options) {
  LinkPolicy policy{options.trust_domain, options.chain_name, options.self, {}};
  policy.allowed.insert(options.allowed.begin(), options.allowed.end());
  for (const PeerAddress& peer : options.peers) policy.allowed.insert(peer.node);
  return policy;
}

}  // namespace

MeshEngine::MeshEngine(const MeshOptions& options, MeshHandler& handler, LiveCounters& counters,
                       OutboxTable& outboxes)
    : options_(options),
      handler_(handler),
      counters_(counters),
      outboxes_(outboxes),
      settings_{options, policy_of(options), counters},
      io_(1),
      acceptor_(io_),
      accept_again_(io_) {
  const chain::Rng rng(options.seed);
  for (const PeerAddress& peer : options.peers)
    if (peer.node != options.self)
      dialers_.push_back(std::make_unique<Dialer>(io_, peer, rng.fork(chain::to_hex(peer.node))));
}

Result<void> MeshEngine::start() {
  // What the peers would refuse is refused here, where it can be mended.
  const Hello hello{kProtocolVersion, options_.chain, options_.self, options_.software};
  if (const Result<Message> said = decode(encode(hello)); !said)
    return tl::unexpected(said.error());
  if (Result<void> loaded = reload(); !loaded) return loaded;
  if (Result<void> listening = listen(); !listening) return listening;
  asio::co_spawn(io_, accept_loop(), rethrow);
  for (const auto& dialer : dialers_) asio::co_spawn(io_, dial_loop(*dialer), rethrow);
  thread_ = std::thread([this] { io_.run(); });
  return {};
}

void MeshEngine::stop() {
  if (!thread_.joinable()) return;
  EC_ASSERT(std::this_thread::get_id() != thread_.get_id(), "the mesh cannot stop itself");
  asio::post(io_, [this] { shut_down(); });
  thread_.join();
  EC_ASSERT(sessions_.empty() && links_.empty(), "a stopped mesh has no sessions");
}

Result<void> MeshEngine::reload() {
  Result<TlsContext> loaded = load_tls();
  if (!loaded) return tl::unexpected(loaded.error());
  const std::lock_guard lock(tls_mutex_);
  tls_ = std::move(*loaded);
  return {};
}

// A node with another node's certificate would be refused by everyone; it is told so at once.
Result<TlsContext> MeshEngine::load_tls() const {
  Result<TlsContext> context =
      make_tls_context({options_.certificate_file, options_.key_file, options_.ca_file});
  if (!context) return context;
  const Result<std::string> uri = own_uri(**context);
  if (!uri) return tl::unexpected(uri.error());
  const std::string expected =
      to_uri(NodeIdentity{options_.trust_domain, options_.chain_name, options_.self});
  if (*uri != expected)
    return chain::fail(ErrorCode::kInvalid, "the certificate in " + options_.certificate_file +
                                                " is for " + *uri + ", this node is " + expected);
  return context;
}

TlsContext MeshEngine::tls() const {
  const std::lock_guard lock(tls_mutex_);
  return tls_;
}

Result<void> MeshEngine::listen() {
  error_code error;
  const auto address = asio::ip::make_address(options_.listen_host, error);
  const tcp::endpoint endpoint(address, options_.listen_port);
  if (!error) acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (!error) port_ = acceptor_.local_endpoint(error).port();
  if (!error) return {};
  return chain::fail(ErrorCode::kIo, "cannot listen on " + options_.listen_host + ":" +
                                         std::to_string(options_.listen_port) + ": " +
                                         error.message() +
                                         "; give a free port on an address of this host");
}

asio::awaitable<void> MeshEngine::accept_loop() {
  while (!is_stopping_) {
    auto [error, socket] = co_await acceptor_.async_accept(kAsTuple);
    if (is_stopping_) co_return;
    if (error) {
      // Out of descriptors, most likely: give the others time to end.
      options_.log(LogLevel::kWarning, "cannot accept a connection: " + error.message());
      accept_again_.expires_after(options_.timings.dial_first);
      co_await accept_again_.async_wait(kAsTuple);
    } else if (handshakes() >= limits::kHandshakesMax) {
      ++counters_.endings[static_cast<std::size_t>(Ending::kTooMany)];
      options_.log(LogLevel::kDebug, "a connection was closed: too many handshakes at once");
    } else {
      auto session =
          std::make_shared<Session>(std::move(socket), std::nullopt, tls(), settings_, *this);
      asio::co_spawn(io_, serve(std::move(session)), rethrow);
    }
  }
}

std::size_t MeshEngine::handshakes() const {
  return static_cast<std::size_t>(
      std::count_if(sessions_.begin(), sessions_.end(), [](const auto& session) {
        return session->origin() == Origin::kAccepted && !session->is_link();
      }));
}

asio::awaitable<void> MeshEngine::dial_loop(Dialer& dialer) {
  std::chrono::milliseconds delay = options_.timings.dial_first;
  while (!is_stopping_) {
    if (links_.count(dialer.address.node) != 0) {
      dialer.timer.expires_at(Session::Clock::time_point::max());
      co_await dialer.timer.async_wait(kAsTuple);
      continue;
    }
    const bool was_link = co_await dial(dialer);
    if (is_stopping_) co_return;
    delay = was_link ? options_.timings.dial_first : delay;
    // Half to whole of the delay, so that nodes started together do not dial in step.
    dialer.timer.expires_after(
        std::chrono::milliseconds(dialer.rng.between((delay.count() + 1) / 2, delay.count())));
    co_await dialer.timer.async_wait(kAsTuple);
    delay = std::min(delay * 2, options_.timings.dial_max);
  }
}

asio::awaitable<bool> MeshEngine::dial(Dialer& dialer) {
  const error_code error = co_await connect(dialer);
  if (is_stopping_) co_return false;
  if (error) {
    ++counters_.dials_failed;
    options_.log(std::exchange(dialer.has_failed, true) ? LogLevel::kDebug : LogLevel::kInfo,
                 "cannot reach node " + chain::to_hex(dialer.address.node) + " at " +
                     dialer.address.host + ":" + std::to_string(dialer.address.port) + ": " +
                     error.message() + "; trying again");
    co_return false;
  }
  // The peer may have dialled us meanwhile.
  if (links_.count(dialer.address.node) != 0) co_return false;
  auto session = std::make_shared<Session>(std::exchange(dialer.socket, tcp::socket(io_)),
                                           dialer.address.node, tls(), settings_, *this);
  co_await serve(session);
  dialer.has_failed = false;
  co_return session->is_link();
}

asio::awaitable<error_code> MeshEngine::connect(Dialer& dialer) {
  dialer.socket = tcp::socket(io_);
  dialer.deadline.expires_after(options_.timings.handshake);
  dialer.deadline.async_wait([&dialer](error_code cancelled) {
    if (cancelled) return;
    error_code ignored;  // closing is all there is to do
    dialer.resolver.cancel();
    dialer.socket.close(ignored);
  });
  const std::string port = std::to_string(dialer.address.port);
  auto [error, endpoints] = co_await dialer.resolver.async_resolve(
      dialer.address.host, port, tcp::resolver::numeric_service, kAsTuple);
  if (!error && !is_stopping_) {
    const auto [connect_error, endpoint] =
        co_await asio::async_connect(dialer.socket, endpoints, kAsTuple);
    error = connect_error;
  }
  dialer.deadline.cancel();
  co_return error;
}

asio::awaitable<void> MeshEngine::serve(std::shared_ptr<Session> session) {
  sessions_.insert(session);
  if (is_stopping_) session->close(Ending::kStopped, "this node stops");
  co_await Session::run(session);
  sessions_.erase(session);
  take_down(session);
  tell_ending(*session);
}

bool MeshEngine::link_ready(const std::shared_ptr<Session>& session) {
  const chain::NodeId peer = session->peer();
  if (const auto found = links_.find(peer); found != links_.end()) {
    const std::shared_ptr<Session> old = found->second;
    if (!replaces({options_.self, peer}, old->origin(), session->origin(), old->link_age(),
                  options_.timings.handshake))
      return false;
    old->close(Ending::kSuperseded, "a newer connection took its place");
    take_down(old);
  }
  links_[peer] = session;
  counters_.links = links_.size();
  outboxes_.put(peer, session->outbox());
  options_.log(LogLevel::kInfo, session->describe() + " is a link");
  handler_.peer_up(peer);
  return true;
}

void MeshEngine::link_said(const Session& session, Message message) {
  handler_.peer_said(session.peer(), std::move(message));
}

// Does nothing for a session that is not, or no longer, the peer's link.
void MeshEngine::take_down(const std::shared_ptr<Session>& session) {
  const auto found = links_.find(session->peer());
  if (found == links_.end() || found->second != session) return;
  links_.erase(found);
  counters_.links = links_.size();
  outboxes_.remove(session->peer());
  for (const auto& dialer : dialers_)
    if (dialer->address.node == session->peer()) dialer->timer.cancel();
  handler_.peer_down(session->peer(), session->reason());
}

void MeshEngine::tell_ending(const Session& session) {
  const Ending ending = session.ending();
  ++counters_.endings[static_cast<std::size_t>(ending)];
  const std::string text =
      session.describe() + " ended (" + to_string(ending) + "): " + session.reason();
  const bool is_refusal = !session.is_link() && ending != Ending::kDuplicate &&
                          ending != Ending::kStopped && ending != Ending::kLost;
  if (!is_refusal) return options_.log(LogLevel::kInfo, text);
  const auto now = Session::Clock::now();
  if (now - refusal_second_ >= std::chrono::seconds(1)) {
    refusal_second_ = now;
    refusal_lines_ = 0;
  }
  // A stranger must not fill the log, so beyond a few a second they are for the curious only.
  const bool is_warning = refusal_lines_++ < limits::kRefusalLinesPerSecond;
  options_.log(is_warning ? LogLevel::kWarning : LogLevel::kDebug, text);
}

void MeshEngine::shut_down() {
  is_stopping_ = true;
  error_code ignored;  // closing is all there is to do
  acceptor_.close(ignored);
  accept_again_.cancel();
  for (const auto& dialer : dialers_) {
    dialer->timer.cancel();
    dialer->deadline.cancel();
    dialer->resolver.cancel();
    dialer->socket.close(ignored);
  }
  const std::set<std::shared_ptr<Session>> sessions = sessions_;
  for (const auto& session : sessions) session->close(Ending::kStopped, "this node stops");
}

}  // namespace eventchain::net
