#pragma once

#include <optional>

#include "mining/process/messages.h"
#include "mining/process/unix_socket.h"

namespace eventchain::mining::process {

// A connection that carries messages. Owned by one thread, which polls descriptor(); nothing here
// waits. It holds one outgoing frame at most: what is to be said next is decided when there is
// room, so that the newest goes and not the oldest. The kernel holds some kilobytes beside it.
class Link {
 public:
  explicit Link(Descriptor connection);

  [[nodiscard]] int descriptor() const { return connection_.number(); }

  enum class Came : std::uint8_t { kSomething, kNothing, kEnd };
  // When next() has nothing.
  Came receive();
  // nullopt: nothing whole is here. After an error the link is of no use.
  chain::Result<std::optional<Message>> next();

  [[nodiscard]] bool is_free() const { return sent_ == outgoing_.size(); }
  // When it is free. False if the other side is gone, as in flush().
  bool send(const Message& message);
  bool flush();

 private:
  Descriptor connection_;
  FrameReader incoming_;
  chain::Bytes outgoing_;
  std::size_t sent_ = 0;
};

}  // namespace eventchain::mining::process
