#include "net/frame.h"

#include <algorithm>
#include <string>
#include <utility>

#include "net/limits.h"

namespace eventchain::net {

chain::Bytes make_frame(chain::ByteView payload) {
  EC_ASSERT(payload.size() <= limits::kFrameBytesMax, "a payload fits its frame");
  chain::Bytes frame;
  frame.reserve(kFrameHeaderBytes + payload.size());
  for (std::size_t i = 0; i < kFrameHeaderBytes; ++i)
    frame.push_back(static_cast<char>((payload.size() >> (8 * i)) & 0xff));
  return frame.append(payload);
}

void FrameReader::feed(chain::ByteView bytes) {
  while (!bytes.empty() && !refused_length_) {
    if (header_have_ < kFrameHeaderBytes) {
      header_[header_have_++] = static_cast<std::uint8_t>(bytes.front());
      bytes.remove_prefix(1);
      if (header_have_ == kFrameHeaderBytes) finish_header();
    } else {
      const std::size_t taken = std::min(missing_, bytes.size());
      payload_.append(bytes.substr(0, taken));
      bytes.remove_prefix(taken);
      missing_ -= taken;
    }
    if (header_have_ == kFrameHeaderBytes && missing_ == 0 && !refused_length_) {
      ready_.push_back(std::exchange(payload_, {}));
      max_ = limits::kFrameBytesMax;
      header_have_ = 0;
    }
  }
}

void FrameReader::finish_header() {
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < kFrameHeaderBytes; ++i)
    length |= static_cast<std::uint32_t>(header_[i]) << (8 * i);
  missing_ = length;
  if (length > max_) refused_length_ = length;
}

chain::Result<std::optional<chain::Bytes>> FrameReader::next() {
  if (!ready_.empty()) {
    std::optional<chain::Bytes> payload = std::move(ready_.front());
    ready_.pop_front();
    return payload;
  }
  if (refused_length_)
    return chain::fail(chain::ErrorCode::kTooLarge,
                       "frame: announces " + std::to_string(*refused_length_) +
                           " octets, over the limit of " + std::to_string(max_) +
                           "; is the peer a node of this version?");
  return std::optional<chain::Bytes>();
}

}  // namespace eventchain::net
