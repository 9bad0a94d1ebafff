#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "chain/bytes.h"
#include "chain/result.h"
#include "chain/u256.h"

// Canonical bytes: integers little-endian and of fixed width, lengths in front, no padding, one
// spelling for each value. What is hashed and what is stored is written and read with these two.
namespace eventchain::chain {

// The first octet of every structure with a domain tag.
inline constexpr std::uint8_t kEncodingVersion = 1;

// Appends to a buffer of its own; take() hands it over. Lengths that do not fit their prefix are
// our own bug, because values are checked before they are encoded.
class Writer {
 public:
  explicit Writer(std::size_t expected_size = 0) { bytes_.reserve(expected_size); }

  // Version octet and domain tag: the start of every structure that is hashed.
  Writer& header(std::string_view tag) { return u8(kEncodingVersion).raw(tag); }

  Writer& u8(std::uint8_t value) { return integer(value); }
  Writer& u16(std::uint16_t value) { return integer(value); }
  Writer& u32(std::uint32_t value) { return integer(value); }
  Writer& u64(std::uint64_t value) { return integer(value); }
  Writer& i32(std::int32_t value) { return integer(static_cast<std::uint32_t>(value)); }
  Writer& i64(std::int64_t value) { return integer(static_cast<std::uint64_t>(value)); }
  Writer& boolean(bool value) { return u8(value ? 1 : 0); }
  Writer& u256(const U256& value) { return raw(value.to_little_endian()); }

  Writer& raw(ByteView bytes) {
    bytes_.append(bytes);
    return *this;
  }
  template <class Tag, std::size_t N>
  Writer& fixed(const FixedBytes<Tag, N>& value) {
    return raw(value.view());
  }
  // Length prefix of 1, 2 or 4 octets, then the octets.
  Writer& sized8(ByteView bytes) { return integer(length<std::uint8_t>(bytes)).raw(bytes); }
  Writer& sized16(ByteView bytes) { return integer(length<std::uint16_t>(bytes)).raw(bytes); }
  Writer& sized32(ByteView bytes) { return integer(length<std::uint32_t>(bytes)).raw(bytes); }

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] Bytes take() { return std::move(bytes_); }

 private:
  template <class UInt>
  static UInt length(ByteView bytes) {
    EC_ASSERT(bytes.size() <= std::numeric_limits<UInt>::max(), "too long for its length prefix");
    return static_cast<UInt>(bytes.size());
  }

  template <class UInt>
  Writer& integer(UInt value) {
    char octets[sizeof(UInt)];
    for (std::size_t i = 0; i < sizeof(UInt); ++i)
      octets[i] = static_cast<char>((value >> (8 * i)) & 0xff);
    bytes_.append(octets, sizeof(UInt));
    return *this;
  }

  Bytes bytes_;
};

// Reads foreign bytes. Never throws and never allocates; views point into the bytes handed in,
// which must outlive them. The first failure sticks: every later read gives zero or an empty view,
// and finish() tells what was wrong, so a decoder may read straight on and ask once at the end.
// A loop over a count asks ok() in each round.
class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) {}

  // Version octet and domain tag.
  void header(std::string_view tag) {
    if (u8() != kEncodingVersion) return refuse("unknown version");
    if (raw(tag.size()) != tag) refuse("wrong domain tag");
  }

  std::uint8_t u8() { return integer<std::uint8_t>(); }
  std::uint16_t u16() { return integer<std::uint16_t>(); }
  std::uint32_t u32() { return integer<std::uint32_t>(); }
  std::uint64_t u64() { return integer<std::uint64_t>(); }
  std::int32_t i32() { return static_cast<std::int32_t>(integer<std::uint32_t>()); }
  std::int64_t i64() { return static_cast<std::int64_t>(integer<std::uint64_t>()); }
  bool boolean() {
    const std::uint8_t value = u8();
    if (value > 1) refuse("a boolean that is neither 0 nor 1");
    return value == 1;
  }
  U256 u256() {
    const ByteView octets = raw(32);
    return ok() ? U256::from_little_endian(octets) : U256();
  }

  ByteView raw(std::size_t size) {
    if (!ok() || size > remaining()) {
      refuse("ends too early");
      return {};
    }
    const ByteView result = bytes_.substr(at_, size);
    at_ += size;
    return result;
  }
  template <class Kind>
  Kind fixed() {
    return Kind::from(raw(Kind::kSize)).value_or(Kind{});
  }
  // Length prefix of 1, 2 or 4 octets, then at most `max` octets.
  ByteView sized8(std::size_t max = 0xff) { return sized(u8(), max); }
  ByteView sized16(std::size_t max = 0xffff) { return sized(u16(), max); }
  ByteView sized32(std::size_t max) { return sized(u32(), max); }

  // The number of items that follow, each of at least `item_size_min` octets (> 0). Refused when
  // over `max` or when the bytes cannot hold that many, so a container may be reserved with it.
  std::size_t count16(std::size_t max, std::size_t item_size_min) {
    return count(u16(), max, item_size_min);
  }
  std::size_t count32(std::size_t max, std::size_t item_size_min) {
    return count(u32(), max, item_size_min);
  }

  // Marks the bytes as bad for a reason of the caller's; `reason` is a literal. The first one
  // stays.
  void refuse(const char* reason) {
    if (reason_ == nullptr) reason_ = reason;
  }

  [[nodiscard]] bool ok() const { return reason_ == nullptr; }
  [[nodiscard]] std::size_t remaining() const { return ok() ? bytes_.size() - at_ : 0; }

  // Success if nothing failed and nothing is left. `what` names the structure in the message.
  [[nodiscard]] Result<void> finish(std::string_view what) {
    if (remaining() > 0) refuse("has octets after its end");
    if (ok()) return {};
    return fail(ErrorCode::kMalformed, std::string(what) + ": " + reason_ + " (at octet " +
                                           std::to_string(at_) + " of " +
                                           std::to_string(bytes_.size()) +
                                           "); get the bytes again from a node of this version");
  }

 private:
  template <class UInt>
  UInt integer() {
    const ByteView octets = raw(sizeof(UInt));
    return octets.empty() ? UInt{0} : load_little_endian<UInt>(octets.data());
  }

  ByteView sized(std::size_t size, std::size_t max) {
    if (size > max) refuse("a length over its limit");
    return raw(size);
  }

  std::size_t count(std::size_t number, std::size_t max, std::size_t item_size_min) {
    if (number > max) refuse("more items than allowed");
    if (number > remaining() / item_size_min) refuse("ends too early");
    return ok() ? number : 0;
  }

  ByteView bytes_;
  std::size_t at_ = 0;
  const char* reason_ = nullptr;
};

}  // namespace eventchain::chain
