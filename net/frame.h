#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>

#include "chain/bytes.h"
#include "chain/result.h"
#include "net/limits.h"

// A frame: 4 octets of little-endian length, then that many octets of payload. A frame of length 0
// is a ping and carries nothing; every other payload is one encoded message.
namespace eventchain::net {

inline constexpr std::size_t kFrameHeaderBytes = 4;

// Pre: payload.size() <= limits::kFrameBytesMax.
chain::Bytes make_frame(chain::ByteView payload);

// Cuts a stream of octets into payloads. Owned by one link; one caller at a time; no I/O. Memory
// follows what has arrived, never what a header announces, and a length over the limit is refused
// before a single octet of it is kept. After a refusal the stream has no meaning any more: payloads
// complete before it still come out, then the error, for ever.
class FrameReader {
 public:
  // `first_max`: of the first payload, which may come from somebody who has no right to say more.
  explicit FrameReader(std::size_t first_max = limits::kFrameBytesMax) : max_(first_max) {}

  void feed(chain::ByteView bytes);
  // The next complete payload ("" is a ping); nullopt: feed more.
  chain::Result<std::optional<chain::Bytes>> next();

 private:
  void finish_header();

  std::array<std::uint8_t, kFrameHeaderBytes> header_{};
  std::size_t header_have_ = 0;
  std::size_t missing_ = 0;  // octets of the payload not yet here; meaningful with a whole header
  chain::Bytes payload_;
  std::deque<chain::Bytes> ready_;
  std::size_t max_;  // of the payload that comes
  std::optional<std::uint32_t> refused_length_;
};

}  // namespace eventchain::net
