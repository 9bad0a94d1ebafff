#pragma once

#include "chain/result.h"
#include "consensus/types.h"

// The payload of a kChange entry, in the C library's own encoding because the library decodes it
// itself: version 1 (u8), count (u64), then for each server id (u64), address (the id in decimal,
// NUL-terminated) and role (u8); little-endian; padded with zeros to a multiple of eight.
namespace eventchain::consensus {

// More servers than any sane cluster has; bounds what a foreign message can make us build.
inline constexpr std::size_t kServersMax = 64;

// Sorted by id, distinct, no id 0, at most kServersMax, and at least one voter.
[[nodiscard]] bool is_well_formed(const Configuration& configuration);

// pre: is_well_formed(configuration).
[[nodiscard]] Bytes encode_configuration(const Configuration& configuration);
// Accepts only what encode_configuration writes, so that the library's decoder, which does not
// check its bounds, never sees anything else.
[[nodiscard]] chain::Result<Configuration> decode_configuration(chain::ByteView bytes);

[[nodiscard]] std::size_t voter_count(const Configuration& configuration);
[[nodiscard]] const Server* find_server(const Configuration& configuration, ServerId id);
// How many servers were added, removed or given another suffrage.
[[nodiscard]] std::size_t difference(const Configuration& a, const Configuration& b);

}  // namespace eventchain::consensus
