#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "chain/event.h"
#include "chain/member_orders.h"
#include "chain/result.h"
#include "chain/target.h"
#include "chain/types.h"

// Templates, shares, seals and blocks as plain data with their canonical encodings (FORMATS.md has
// the byte layouts). Rules live in rules.h.
namespace eventchain::chain {

struct Genesis;

// What any block may hold, whatever its genesis says: a template fits one 4 MiB frame.
inline constexpr std::size_t kBlockEventsLimit = 65'536;
inline constexpr std::size_t kBlockAnnexLimit = 4'096;

// Why an event will never have a position. Part of the block, so that everyone gives one answer.
enum class RejectionReason : std::uint8_t {
  kVersionConflict = 1,     // the stream stood past the expected version
  kExpectationExpired = 2,  // the expected version was not reached in time
  kKeyTaken = 3,            // the key names an event with other content
};

struct Rejection {
  EventKey key;
  Commitment commitment;
  RejectionReason reason;
  StreamVersion stream_version;  // where the stream stood; kEmptyStream for kKeyTaken
  bool operator==(const Rejection&) const = default;
};

// Everything in a block that is not an event. More kinds follow; an unknown kind is an error.
using AnnexItem = std::variant<Rejection, MemberOrder>;
Bytes encode_annex_item(const AnnexItem& item);
Result<AnnexItem> decode_annex_item(ByteView bytes);
// RFC 6962 tree over the encoded items.
Hash annex_root(const std::vector<AnnexItem>& annex);

// One line of a block's event list. Only the commitment is hashed into the log; the key tells
// where the body is held and is checked against it.
struct EntryRef {
  EventKey key;
  Commitment commitment;
  bool operator==(const EntryRef&) const = default;
};

// What the header's roots stand for.
struct BlockContent {
  std::vector<EntryRef> entries;  // in log order
  std::vector<AnnexItem> annex;
  bool operator==(const BlockContent&) const = default;
};
Bytes encode_content(const BlockContent& content);
Result<BlockContent> decode_content(ByteView bytes);

struct TemplateHeader {
  ChainId chain;
  Height height;
  BlockId parent;
  std::uint64_t log_size = 0;  // after this block
  Hash log_root;
  Hash history_root;  // over all blocks before this one
  Hash annex_root;
  UnixMillis started;  // when work at this height began (first template)
  UnixMillis time;     // when work on this template began
  CompactTarget share_target;
  std::uint16_t share_count = 0;
  Hash member_set;
  bool operator==(const TemplateHeader&) const = default;
};
Bytes encode_header(const TemplateHeader& header);  // fixed size
Result<TemplateHeader> decode_header(ByteView bytes);
TemplateHash template_hash(const TemplateHeader& header);

struct Template {
  TemplateHeader header;
  BlockContent content;
  bool operator==(const Template&) const = default;
};

// slot u16 | thread u8 | counter u40, most significant first.
struct Nonce {
  std::uint64_t high = 0;
  std::uint32_t low = 0;
  auto operator<=>(const Nonce&) const = default;
  [[nodiscard]] Slot slot() const { return Slot{static_cast<std::uint16_t>(high >> 48)}; }
};
inline constexpr std::uint64_t kNonceCounters = std::uint64_t{1} << 40;
// `counter` below kNonceCounters.
std::uint64_t nonce_high(Slot slot, std::uint8_t thread, std::uint64_t counter);

// The 116 octets that are hashed (layout in FORMATS.md); the nonce goes to fixed places.
inline constexpr std::size_t kSharePreimageSize = 116;
inline constexpr std::size_t kNonceHighOffset = 36;  // u64, little-endian
inline constexpr std::size_t kNonceLowOffset = 112;  // u32, little-endian
using SharePreimage = FixedBytes<struct SharePreimageTag, kSharePreimageSize>;
SharePreimage share_preimage(const TemplateHeader& header, const Nonce& nonce);
// For who makes many of one template; `hash` is that of the header.
SharePreimage share_preimage(const TemplateHeader& header, const TemplateHash& hash,
                             const Nonce& nonce);
// The same preimage with another nonce.
void set_nonce(SharePreimage& preimage, const Nonce& nonce);

// A digest's eight 32-bit words, as SHA-256 has them, with H7 as the most significant and H0 as the
// least. Read so whatever function made it.
U256 share_value(const Hash& digest);

struct Seal {
  UnixMillis sealed_at;
  std::vector<Nonce> shares;  // share_count of them, strictly ascending
  bool operator==(const Seal&) const = default;
};
Bytes encode_seal(const Seal& seal);
Result<Seal> decode_seal(ByteView bytes);

// Header and seal: everything about a block but its content. This is what Raft decides on.
struct SealedHeader {
  TemplateHeader header;
  Seal seal;
  bool operator==(const SealedHeader&) const = default;
};
BlockId block_id(const SealedHeader& sealed);
Bytes encode_sealed_header(const SealedHeader& sealed);
Result<SealedHeader> decode_sealed_header(ByteView bytes);
// share_count * expected hashes per share.
U256 block_work(const TemplateHeader& header);

struct Block {
  SealedHeader sealed;
  BlockContent content;
  bool operator==(const Block&) const = default;
};

// A block without its entries: what a light member keeps. The annex is there because members change
// in it.
struct LightBlock {
  SealedHeader sealed;
  std::vector<AnnexItem> annex;
  bool operator==(const LightBlock&) const = default;
};

// The block at height 0: derived from genesis, no content, no seal shares.
SealedHeader genesis_block(const Genesis& genesis);

}  // namespace eventchain::chain
