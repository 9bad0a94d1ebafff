#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace eventchain::chain {

// Octets, not text. std::string because Protobuf's bytes fields are std::string: a body moves from
// the wire to the store without a copy.
using Bytes = std::string;
using ByteView = std::string_view;

// The little-endian integer that begins at `octets`. Spelled as one expression because compilers
// make a single load of it, but not of a loop.
template <class UInt>
UInt load_little_endian(const void* octets) {
  const auto* at = static_cast<const std::uint8_t*>(octets);
  return [at]<std::size_t... kAt>(std::index_sequence<kAt...>) {
    return static_cast<UInt>(((static_cast<std::uint64_t>(at[kAt]) << (8 * kAt)) | ...));
  }
  (std::make_index_sequence<sizeof(UInt)>());
}

// A fixed number of octets with value semantics; ordered lexicographically. The Tag keeps kinds of
// equal size apart at compile time.
template <class Tag, std::size_t N>
struct FixedBytes {
  static constexpr std::size_t kSize = N;
  std::array<std::uint8_t, N> octets{};

  auto operator<=>(const FixedBytes&) const = default;
  bool operator==(const FixedBytes&) const = default;

  [[nodiscard]] ByteView view() const {
    return {reinterpret_cast<const char*>(octets.data()), octets.size()};
  }
  [[nodiscard]] bool is_zero() const { return *this == FixedBytes{}; }

  // nullopt unless `bytes` has exactly N octets.
  static std::optional<FixedBytes> from(ByteView bytes) {
    if (bytes.size() != N) return std::nullopt;
    FixedBytes result;
    std::memcpy(result.octets.data(), bytes.data(), N);
    return result;
  }
};

// Hash of std containers keyed by values that are themselves hashes or random ids: the first eight
// octets are as good as any mix. Never iterate such a container where the order reaches an output.
struct FixedBytesHash {
  template <class Tag, std::size_t N>
  std::size_t operator()(const FixedBytes<Tag, N>& value) const {
    static_assert(N >= sizeof(std::uint64_t));
    return load_little_endian<std::uint64_t>(value.octets.data());
  }
};

// Lower-case hexadecimal.
std::string to_hex(ByteView bytes);
// nullopt for odd length or any character outside [0-9a-f] (upper case is refused: one spelling).
std::optional<Bytes> from_hex(std::string_view text);

template <class Tag, std::size_t N>
std::string to_hex(const FixedBytes<Tag, N>& value) {
  return to_hex(value.view());
}

}  // namespace eventchain::chain
