#include "net/asio/mesh_engine.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
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

}  // namespace

MeshEngine::MeshEngine(const MeshOptions& options, MeshHandler& handler, LiveCounters& counters,
                       OutboxTable& outboxes)
    : options_(options),
      handler_(handler),
      counters_(counters),
      outboxes_(outboxes),
      io_(1),
      acceptor_(io_),
      accept_again_(io_),
      settings_{options, {options.trust_domain, options.chain_name, options.self, {}}, counters},
      book_(options.self, options.rules, chain::Rng(options.seed)),
      plan_again_(io_) {}

Result<void> MeshEngine::start(const PeerTable& table) {
  // What the peers would refuse is refused here, where it can be mended.
  if (const Result<Message> said = decode(encode(hello_of(options_))); !said)
    return tl::unexpected(said.error());
  if (Result<void> loaded = reload(); !loaded) return loaded;
  if (Result<void> listening = listen(); !listening) return listening;
  take_table(table);
  asio::co_spawn(io_, accept_loop(), rethrow);
  thread_ = std::thread([this] { io_.run(); });
  return {};
}

void MeshEngine::set_peers(PeerTable table) {
  asio::post(io_, [this, told = std::move(table)] { take_table(told); });
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
      accept_again_.expires_after(options_.timings.accept_again);
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

asio::awaitable<void> MeshEngine::serve(std::shared_ptr<Session> session) {
  sessions_.insert(session);
  if (is_stopping_) session->close(Ending::kStopped, "this node stops");
  co_await Session::run(session);
  sessions_.erase(session);
  if (take_down(session)) book_.link_down(session->peer(), now());
  if (session->ending() == Ending::kStranger)
    handler_.peer_refused(session->peer(), session->hello().refused_at);
  tell_ending(*session);
  replan();
}

std::optional<Refusal> MeshEngine::peer_proven(chain::NodeId peer, Origin origin) {
  // The table may have changed since the handshake began.
  if (settings_.policy.allowed.count(peer) == 0)
    return Refusal{Ending::kRemoved, "no longer a member"};
  if (!is_valid_now(peer))
    return Refusal{Ending::kNotValid,
                   "its membership does not count at this time; look at valid_from and valid_until "
                   "of the member, and at both clocks"};
  if (origin == Origin::kAccepted && book_.opens_too_often(peer, now()))
    return Refusal{Ending::kTooOften, "it opens links too often; look at why they end there"};
  if (origin == Origin::kAccepted && !book_.has_room_for(peer))
    return Refusal{Ending::kFull, "no room for more links of nodes that do not vote"};
  return std::nullopt;
}

std::optional<Refusal> MeshEngine::link_ready(const std::shared_ptr<Session>& session) {
  const chain::NodeId peer = session->peer();
  // Others may have filled the room while this one said hello.
  if (std::optional<Refusal> refusal = peer_proven(peer, session->origin())) return refusal;
  if (const auto found = links_.find(peer); found != links_.end()) {
    const std::shared_ptr<Session> old = found->second;
    if (!replaces({options_.self, peer}, old->origin(), session->origin(), old->link_age(),
                  options_.timings.handshake))
      return Refusal{Ending::kDuplicate, "there is a link to this node already"};
    old->close(Ending::kSuperseded, "a newer connection took its place");
    take_down(old);
  }
  links_[peer] = session;
  counters_.links = links_.size();
  outboxes_.put(peer, session->outbox());
  options_.log(LogLevel::kInfo, session->describe() + " is a link");
  handler_.peer_up(peer, session->hello());
  book_.link_up(peer, session->origin(), now());
  replan();
  return std::nullopt;
}

void MeshEngine::link_said(const Session& session, Message message) {
  handler_.peer_said(session.peer(), std::move(message));
}

bool MeshEngine::take_down(const std::shared_ptr<Session>& session) {
  const auto found = links_.find(session->peer());
  if (found == links_.end() || found->second != session) return false;
  links_.erase(found);
  counters_.links = links_.size();
  outboxes_.remove(session->peer());
  handler_.peer_down(session->peer(), session->reason());
  return true;
}

void MeshEngine::tell_ending(const Session& session) {
  const Ending ending = session.ending();
  ++counters_.endings[static_cast<std::size_t>(ending)];
  const std::string text =
      session.describe() + " ended (" + to_string(ending) + "): " + session.reason();
  const bool is_refusal = !session.is_link() && ending != Ending::kDuplicate &&
                          ending != Ending::kStopped && ending != Ending::kLost;
  // A full house is nobody's fault.
  if (ending == Ending::kFull) return options_.log(LogLevel::kDebug, text);
  if (!is_refusal) return options_.log(LogLevel::kInfo, text);
  const auto told_at = Session::Clock::now();
  if (told_at - refusal_second_ >= std::chrono::seconds(1)) {
    refusal_second_ = told_at;
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
  plan_again_.cancel();
  for (const auto& dial : dials_) dial->give_up();
  const std::set<std::shared_ptr<Session>> sessions = sessions_;
  for (const auto& session : sessions) session->close(Ending::kStopped, "this node stops");
}

}  // namespace eventchain::net
