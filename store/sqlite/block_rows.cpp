#include "store/sqlite/block_rows.h"

#include <fmt/format.h>

#include <limits>

#include "chain/hash.h"
#include "store/sqlite/row_order.h"

namespace eventchain::store {

using chain::ErrorCode;
using chain::Result;

namespace {

tl::unexpected<chain::Error> damaged(chain::Height height, std::string_view what) {
  return chain::fail(
      ErrorCode::kCorrupt,
      fmt::format("the stored block at height {} is damaged: {}; fetch it again from a peer",
                  height.value, what));
}

}  // namespace

tl::unexpected<chain::Error> no_block(chain::Height height) {
  return chain::fail(
      ErrorCode::kNotFound,
      fmt::format("there is no block at height {} yet; ask for the tip first", height.value));
}

Result<chain::SealedHeader> decode_sealed(chain::ByteView sealed, const chain::BlockId& id,
                                          chain::Height height) {
  Result<chain::SealedHeader> decoded = chain::decode_sealed_header(sealed);
  if (!decoded) return damaged(height, decoded.error().message);
  if (chain::block_id(*decoded) != id)
    return damaged(height, "header and seal do not hash to its id");
  if (decoded->header.height != height) return damaged(height, "its header has another height");
  return decoded;
}

Result<StoredBlock> decode_block(const Statement::Rows& rows, chain::Height height) {
  StoredBlock stored;
  stored.id = rows.fixed<chain::BlockId>(0);
  stored.first_position = rows.number(1);
  Result<chain::SealedHeader> sealed = decode_sealed(rows.bytes(3), stored.id, height);
  if (!sealed) return tl::unexpected<chain::Error>(sealed.error());
  stored.block.sealed = std::move(*sealed);

  const chain::ByteView bytes = rows.bytes(4);
  if (chain::sha256(bytes) != rows.fixed<chain::Hash>(2))
    return damaged(height, "its list of events does not hash to what was stored");
  Result<chain::BlockContent> content = chain::decode_content(bytes);
  if (!content) return damaged(height, content.error().message);
  stored.block.content = std::move(*content);

  const chain::TemplateHeader& header = stored.block.sealed.header;
  if (stored.first_position + stored.block.content.entries.size() != header.log_size)
    return damaged(height, "its number of events is not what the header says");
  if (chain::annex_root(stored.block.content.annex) != header.annex_root)
    return damaged(height, "its annex does not hash to the header's annex root");
  return stored;
}

Result<chain::MembersRef> decode_members(Statement::Rows rows) {
  const auto damaged_set = [](std::string_view what) {
    return chain::fail(ErrorCode::kCorrupt,
                       fmt::format("a stored member set is damaged: {}; remove this node's "
                                   "database and let it join anew",
                                   what));
  };
  if (!rows.next()) return damaged_set("it is missing");
  const chain::ByteView encoded = rows.bytes(2);
  if (chain::sha256(encoded) != rows.fixed<chain::Hash>(1))
    return damaged_set("it does not hash to what was stored");
  auto set = chain::decode_member_set(encoded);
  if (!set) return damaged_set(set.error().message);
  return std::make_shared<const chain::MemberSet>(std::move(*set));
}

std::vector<chain::Height> read_heights(Statement::Rows rows) {
  std::vector<chain::Height> heights;
  while (rows.next()) heights.push_back({rows.number(0)});
  return heights;
}

chain::Certificate read_signatures(Statement::Rows rows) {
  chain::Certificate certificate;
  for (Ordered<std::uint64_t> order; rows.next();) {
    const std::uint64_t slot = rows.number(0);
    order.take(slot);
    if (slot > std::numeric_limits<std::uint16_t>::max())
      throw StoreFailure(fmt::format("the database is damaged: no member has slot {}", slot));
    certificate.push_back(
        {chain::Slot{static_cast<std::uint16_t>(slot)}, rows.fixed<chain::Signature>(1)});
  }
  return certificate;
}

}  // namespace eventchain::store
