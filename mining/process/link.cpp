#include "mining/process/link.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace eventchain::mining::process {
namespace {

constexpr std::size_t kReadMax = 4096;
// What may lie in the kernel unread, and be out of date when it is read. The kernel has a minimum.
constexpr int kSendBuffer = 4096;

}  // namespace

Link::Link(Descriptor connection) : connection_(std::move(connection)) {
  // Only less memory is at stake.
  setsockopt(connection_.number(), SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof(kSendBuffer));
}

Link::Came Link::receive() {
  std::array<char, kReadMax> octets{};
  while (true) {
    const ssize_t got = recv(connection_.number(), octets.data(), octets.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Came::kNothing;
    if (got <= 0) return Came::kEnd;
    incoming_.feed({octets.data(), static_cast<std::size_t>(got)});
    return Came::kSomething;
  }
}

chain::Result<std::optional<Message>> Link::next() {
  const auto payload = incoming_.next();
  if (!payload) return tl::unexpected(payload.error());
  if (!*payload) return std::optional<Message>();
  auto message = decode(**payload);
  if (!message) return tl::unexpected(message.error());
  return std::optional<Message>(std::move(*message));
}

bool Link::send(const Message& message) {
  EC_ASSERT(is_free(), "a link holds one outgoing frame");
  outgoing_ = encode_frame(message);
  sent_ = 0;
  return flush();
}

bool Link::flush() {
  while (!is_free()) {
    const ssize_t sent = ::send(connection_.number(), outgoing_.data() + sent_,
                                outgoing_.size() - sent_, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    sent_ += static_cast<std::size_t>(sent);
  }
  return true;
}

}  // namespace eventchain::mining::process
