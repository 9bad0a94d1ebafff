// The talking half of a session: hello, reader and writer.
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "net/asio/session.h"
#include "net/codec.h"
#include "net/limits.h"

namespace eventchain::net {

namespace asio = boost::asio;

namespace {

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

std::string text_of(const boost::system::error_code& error) {
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated)
    return "closed by the peer";
  return "connection lost: " + error.message();
}

}  // namespace

Hello hello_of(const MeshOptions& options) {
  Hello hello;
  hello.chain = options.chain;
  hello.node = options.self;
  hello.software = options.software;
  hello.store = options.store;
  hello.feature_level = options.feature_level;
  return hello;
}

asio::awaitable<void> Session::greet() {
  // Named, because g++ 12 destroys a temporary aggregate twice in an expression with co_await.
  Hello hello = hello_of(settings_.options);
  if (refusal_) {
    hello.refused_at = settings_.policy.as_of;
    // A stranger need not know more.
    hello.software.clear();
    hello.feature_level = 1;
  }
  co_await write_all(make_frame(encode(hello)));
  if (is_closed_) co_return;
  // A refused one's, too: what arrives at a closed socket takes back what was written to it.
  const std::optional<chain::Bytes> payload = co_await read_payload();
  if (!payload) co_return;
  if (refusal_) co_return close(refusal_->ending, refusal_->reason);
  check_hello(decode(*payload));
}

void Session::check_hello(const chain::Result<Message>& first) {
  if (!first) return close(Ending::kMalformed, first.error().message);
  const Hello* hello = std::get_if<Hello>(&*first);
  if (hello == nullptr) return close(Ending::kHello, "the first message must be a hello");
  if (hello->protocol != kProtocolVersion)
    return close(Ending::kHello, "speaks protocol " + std::to_string(hello->protocol) +
                                     ", this node " + std::to_string(kProtocolVersion) +
                                     "; upgrade the older one");
  if (hello->chain != settings_.options.chain)
    return close(Ending::kHello, "belongs to chain " + chain::to_hex(hello->chain) +
                                     "; both nodes need the same genesis");
  if (hello->node != peer_)
    return close(Ending::kHello, "calls itself " + chain::to_hex(hello->node) +
                                     ", which is not its certificate's node");
  hello_ = *hello;
  if (hello_.refused_at != chain::Height{})
    return close(Ending::kStranger, "says that this node is no member as of block " +
                                        std::to_string(hello_.refused_at.value) +
                                        "; if it was removed, it has to join anew");
  linked_at_ = Clock::now();
}

asio::awaitable<void> Session::converse() {
  const auto self = shared_from_this();
  heard_at_ = sent_at_ = Clock::now();
  if (std::optional<Refusal> refusal = owner_.link_ready(self)) {
    linked_at_.reset();
    close(refusal->ending, std::move(refusal->reason));
    co_return;
  }
  arm_watch();
  asio::co_spawn(stream_.get_executor(), write_loop(self), [self](std::exception_ptr error) {
    if (error) self->close(Ending::kLost, "the writer failed unexpectedly");
    self->is_writer_gone_ = true;
    self->writer_gone_.cancel();
  });
  co_await read_loop();
  while (!is_writer_gone_) {
    writer_gone_.expires_at(Clock::time_point::max());
    co_await writer_gone_.async_wait(kAsTuple);
  }
}

asio::awaitable<void> Session::read_loop() {
  while (!is_closed_) {
    const std::optional<chain::Bytes> payload = co_await read_payload();
    if (!payload) co_return;
    if (payload->empty()) {
      ++settings_.counters.pings_in;
      continue;
    }
    chain::Result<Message> message = decode(*payload);
    if (!message) {
      close(Ending::kMalformed, message.error().message);
    } else if (std::holds_alternative<Hello>(*message)) {
      close(Ending::kMalformed, "a second hello");
    } else {
      ++settings_.counters.frames_in[message->index()];
      owner_.link_said(*this, std::move(*message));
    }
  }
}

asio::awaitable<std::optional<chain::Bytes>> Session::read_payload() {
  while (!is_closed_) {
    chain::Result<std::optional<chain::Bytes>> payload = frames_.next();
    if (!payload) {
      close(Ending::kMalformed, payload.error().message);
      break;
    }
    if (*payload) co_return std::move(*payload);
    const auto [error, count] =
        co_await stream_.async_read_some(asio::buffer(read_buffer_), kAsTuple);
    if (error) {
      close(Ending::kLost, text_of(error));
      break;
    }
    heard_at_ = Clock::now();
    settings_.counters.bytes_in += count;
    frames_.feed(chain::ByteView(read_buffer_).substr(0, count));
  }
  co_return std::nullopt;
}

asio::awaitable<void> Session::write_loop(std::shared_ptr<Session> self) {
  while (!self->is_closed_) {
    chain::Bytes run = self->outbox_->take(limits::kWriteRunBytes);
    if (run.empty() && self->is_ping_due_) run = make_frame("");
    self->is_ping_due_ = false;
    if (!run.empty()) {
      co_await self->write_all(std::move(run));
      continue;
    }
    self->wake_writer_.expires_at(Clock::time_point::max());
    co_await self->wake_writer_.async_wait(kAsTuple);
  }
}

// One TLS record at a time, so that a peer that reads slowly is told from one that does not read.
asio::awaitable<void> Session::write_all(chain::Bytes run) {
  is_writing_ = true;
  sent_at_ = Clock::now();
  for (chain::ByteView rest = run; !rest.empty() && !is_closed_;) {
    const auto [error, count] =
        co_await stream_.async_write_some(asio::buffer(rest.data(), rest.size()), kAsTuple);
    if (error) {
      close(Ending::kLost, text_of(error));
      break;
    }
    sent_at_ = Clock::now();
    settings_.counters.bytes_out += count;
    rest.remove_prefix(count);
  }
  is_writing_ = false;
}

}  // namespace eventchain::net
