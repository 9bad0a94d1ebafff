#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "chain/result.h"

namespace eventchain::bench {

struct Address {
  std::string host;  // IPv4 in numbers
  std::uint16_t port = 0;
};
// "HOST:PORT", with or without http:// before it.
chain::Result<Address> parse_address(std::string_view text);

struct Answer {
  int status = 0;
  std::string_view body;  // until the next exchange
};

// One kept-alive HTTP/1.1 connection with blocking calls and two system calls per request: the
// client shares the processors with the nodes it measures, so it must cost next to nothing. Opens
// itself when needed; after a failure the next exchange opens it anew. One thread at a time.
class PlainConnection {
 public:
  explicit PlainConnection(Address address) : address_(std::move(address)) {}
  ~PlainConnection();
  PlainConnection(const PlainConnection&) = delete;
  PlainConnection& operator=(const PlainConnection&) = delete;

  // `request` is the whole message as it goes out. An answer without Content-Length is refused.
  chain::Result<Answer> exchange(std::string_view request);
  chain::Result<Answer> get(std::string_view target);

 private:
  chain::Result<void> open();
  chain::Result<Answer> read_answer();
  tl::unexpected<chain::Error> broken(std::string_view doing);

  const Address address_;
  int socket_ = -1;
  std::string received_;
};

}  // namespace eventchain::bench
