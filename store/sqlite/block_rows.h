#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/chain_reader.h"
#include "store/integrity.h"
#include "store/sqlite/statement.h"

// Reading rows of the tables block, peaks and history_node; used by the writer and the readers.
namespace eventchain::store {

// The columns decode_block() wants, in its order.
inline constexpr const char* kSelectBlock =
    "SELECT id, first_position, content_hash, sealed, content FROM block WHERE height = ?";

// Block of the current row; header and seal must hash to the id, the content to its stored hash,
// and both must fit together.
chain::Result<StoredBlock> decode_block(const Statement::Rows& rows, chain::Height height);

inline constexpr const char* kSelectSignatures =
    "SELECT slot, signature FROM signature WHERE height = ? ORDER BY slot";
chain::Certificate read_signatures(Statement::Rows rows);

// kNotFound with the message for a height above the tip.
tl::unexpected<chain::Error> no_block(chain::Height height);

// In force at the height that is bound.
inline constexpr const char* kSelectMembers =
    "SELECT height, hash, encoded FROM member_set WHERE height < max(1, ?)"
    " ORDER BY height DESC LIMIT 1";
chain::Result<chain::MembersRef> decode_members(Statement::Rows rows);
inline constexpr const char* kSelectMemberChanges =
    "SELECT height FROM member_set WHERE height > 0 ORDER BY height";
std::vector<chain::Height> read_heights(Statement::Rows rows);

chain::Result<chain::SealedHeader> decode_sealed(chain::ByteView sealed, const chain::BlockId& id,
                                                 chain::Height height);

// Mark of a variant: enough of its commitment to tell variants apart and to notice a rotten body.
inline constexpr std::size_t kMarkSize = 16;
inline chain::ByteView mark_of(const chain::Commitment& commitment) {
  return commitment.view().substr(0, kMarkSize);
}

// What stands for a key in the index: its first eight octets, big-endian, so that more rows share a
// page. Another key may have the same; whoever looks up compares the key of the body.
inline std::int64_t key_prefix(const chain::EventKey& key) {
  std::uint64_t prefix = 0;
  for (std::size_t i = 0; i < sizeof prefix; ++i) prefix = prefix << 8 | key.octets[i];
  return static_cast<std::int64_t>(prefix);
}

// A query over the whole index of keys: `of_one` with $KEYS for its table, once for each of the
// two.
inline std::string from_keys(std::string_view of_one) {
  const std::size_t at = of_one.find("$KEYS");
  const auto with = [&](const char* table) {
    return std::string(of_one.substr(0, at)) + table + std::string(of_one.substr(at + 5));
  };
  return with("recent_key") + " UNION ALL " + with("event_key");
}

}  // namespace eventchain::store
