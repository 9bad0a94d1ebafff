#include "net/asio/session.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace eventchain::net {

namespace asio = boost::asio;

namespace {

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

void tune(Session::Socket& socket, std::chrono::milliseconds idle) {
  boost::system::error_code ignored;  // a socket that is already dead fails at its first use
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  // What the kernel has sent and nobody acknowledges ends the connection as silence does.
  const auto timeout = static_cast<unsigned int>(idle.count());
  const asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT> option(
      static_cast<int>(timeout));
  socket.set_option(option, ignored);
}

std::string address_of(const Session::Socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return "a closed socket";
  return endpoint.address().to_string() + ":" + std::to_string(endpoint.port());
}

}  // namespace

Session::Session(Socket socket, std::optional<chain::NodeId> dialled, TlsContext tls,
                 const SessionSettings& settings, SessionOwner& owner)
    : dialled_(dialled),
      tls_(std::move(tls)),
      settings_(settings),
      owner_(owner),
      address_(address_of(socket)),
      stream_(std::move(socket), *tls_),
      watch_timer_(stream_.get_executor()),
      wake_writer_(stream_.get_executor()),
      writer_gone_(stream_.get_executor()),
      read_buffer_(limits::kReadBytes, '\0'),
      heard_at_(Clock::now()),
      sent_at_(heard_at_) {
  tune(stream_.next_layer(), settings_.options.timings.idle);
}

std::string Session::describe() const {
  std::string text = dialled_ ? "connection to " : "connection from ";
  text += address_;
  if (!peer_.is_zero()) text += " (node " + chain::to_hex(peer_) + ")";
  return text;
}

asio::awaitable<void> Session::run(std::shared_ptr<Session> self) {
  try {
    co_await self->live();
  } catch (const std::exception& error) {
    self->close(Ending::kLost, std::string("unexpected: ") + error.what());
  }
  EC_ASSERT(self->is_closed_, "a session that has run is closed");
}

asio::awaitable<void> Session::live() {
  if (is_closed_) co_return;
  const std::weak_ptr<Session> weak = weak_from_this();
  outbox_ = std::make_shared<Outbox>([weak, executor = stream_.get_executor()] {
    asio::post(executor, [weak] {
      if (const auto self = weak.lock()) self->outbox_changed();
    });
  });
  arm_handshake_timer();
  co_await shake_hands();
  if (!is_closed_) co_await greet();
  if (!is_closed_) co_await converse();
}

asio::awaitable<void> Session::shake_hands() {
  const auto role = dialled_ ? asio::ssl::stream_base::client : asio::ssl::stream_base::server;
  const auto [error] = co_await stream_.async_handshake(role, kAsTuple);
  if (!error) {
    check_peer();
    co_return;
  }
  const std::string why = verify_failure(stream_.native_handle());
  close(Ending::kTls, "TLS handshake: " + error.message() + (why.empty() ? "" : ": " + why));
}

void Session::check_peer() {
  const chain::Result<std::string> uri = peer_uri(stream_.native_handle());
  if (!uri) return close(Ending::kIdentity, uri.error().message);
  const Admission admission = admit(settings_.policy, *uri);
  switch (admission.refusal) {
    case IdentityRefusal::kNone:
      break;
    case IdentityRefusal::kUnknownNode:
      peer_ = admission.node;
      refusal_ = Refusal{Ending::kUnknownNode, admission.reason};
      // Whoever dials may have been removed while it was away, and is told. Not by a node that
      // knows of no block: it could not say since when, and its hello would be taken for a link's.
      if (dialled_ || settings_.policy.as_of == chain::Height{})
        close(refusal_->ending, refusal_->reason);
      return;
    case IdentityRefusal::kForeign:
    case IdentityRefusal::kNotANode:
    case IdentityRefusal::kSelf:
      return close(Ending::kIdentity, admission.reason);
  }
  // Else the address would be dialled for ever, each time in place of that node's own link.
  if (dialled_ && *dialled_ != admission.node)
    return close(Ending::kIdentity, "is node " + chain::to_hex(admission.node) + ", but " +
                                        chain::to_hex(*dialled_) +
                                        " was dialled; check the peers' addresses");
  peer_ = admission.node;
  if (std::optional<Refusal> refusal = owner_.peer_proven(peer_, origin()))
    close(refusal->ending, std::move(refusal->reason));
}

void Session::close(Ending ending, std::string reason) {
  if (is_closed_) return;
  is_closed_ = true;
  ending_ = ending;
  reason_ = std::move(reason);
  if (outbox_) outbox_->close();
  watch_timer_.cancel();
  wake_writer_.cancel();
  boost::system::error_code ignored;  // there is nothing to do about a close that fails
  stream_.next_layer().close(ignored);
}

void Session::outbox_changed() {
  if (const std::optional<Outbox::Wish> wish = outbox_->wish())
    return close(wish->ending, wish->reason);
  wake_writer_.cancel();
}

void Session::arm_handshake_timer() {
  watch_timer_.expires_after(settings_.options.timings.handshake);
  watch_timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (!error && !self->is_link())
      self->close(Ending::kTimeout,
                  "the handshake took longer than " +
                      std::to_string(self->settings_.options.timings.handshake.count()) + " ms");
  });
}

void Session::arm_watch() {
  watch_timer_.expires_after(settings_.options.timings.ping / 2);
  watch_timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (!error && !self->is_closed_) self->watch();
  });
}

// A link that stands still is noticed here: nothing heard, nothing written, nothing to say.
void Session::watch() {
  const MeshTimings& timings = settings_.options.timings;
  const Clock::time_point now = Clock::now();
  if (now - heard_at_ >= timings.idle)
    return close(Ending::kSilent,
                 "silent for " + std::to_string(timings.idle.count()) + " ms, pings included");
  if (is_writing_ && now - sent_at_ >= timings.idle)
    return close(Ending::kTooSlow,
                 "reads nothing for " + std::to_string(timings.idle.count()) + " ms");
  if (!is_writing_ && now - sent_at_ >= timings.ping) {
    is_ping_due_ = true;
    wake_writer_.cancel();
  }
  arm_watch();
}

}  // namespace eventchain::net
