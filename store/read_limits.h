#pragma once

#include <cstddef>

// How much one call of a reader hands out, so that no request can fill the memory.
namespace eventchain::store {

inline constexpr std::size_t kReadItemsMax = 10'000;
// Of bodies. The event that crosses it is still included, so that every call gets on.
inline constexpr std::size_t kReadBytesMax = std::size_t{64} * 1024 * 1024;

}  // namespace eventchain::store
