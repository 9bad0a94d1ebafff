#include "chain/block.h"

#include "chain/encoding.h"
#include "chain/genesis.h"
#include "chain/hash.h"
#include "chain/history.h"
#include "chain/log_tree.h"

namespace eventchain::chain {

namespace {

constexpr std::string_view kAnnexItemTag = "ec:annex";
constexpr std::string_view kContentTag = "ec:content";
constexpr std::string_view kHeaderTag = "ec:hdr";
constexpr std::string_view kSealTag = "ec:seal";
constexpr std::string_view kBlockTag = "ec:block";

// The first octet after an annex item's tag.
constexpr std::uint8_t kRejectionKind = 1;

constexpr std::size_t kHeaderSize = 1 + 6 + 6 * 32 + 4 * 8 + 4 + 2;
constexpr std::size_t kEntrySize = 16 + 32;
constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kSealSharesMax = 256;       // as genesis allows
constexpr std::size_t kAnnexItemBytesMax = 4096;  // generous for the kinds to come

void write_rejection(Writer& writer, const Rejection& rejection) {
  writer.u8(kRejectionKind)
      .fixed(rejection.key)
      .fixed(rejection.commitment)
      .u8(static_cast<std::uint8_t>(rejection.reason))
      .i64(rejection.stream_version.value);
}

Rejection read_rejection(Reader& reader) {
  Rejection rejection{};
  rejection.key = reader.fixed<EventKey>();
  rejection.commitment = reader.fixed<Commitment>();
  const std::uint8_t reason = reader.u8();
  if (reason < static_cast<std::uint8_t>(RejectionReason::kVersionConflict) ||
      reason > static_cast<std::uint8_t>(RejectionReason::kKeyTaken))
    reader.refuse("unknown reason for a rejection");
  rejection.reason = static_cast<RejectionReason>(reason);
  rejection.stream_version.value = reader.i64();
  return rejection;
}

TemplateHeader read_header(Reader& reader) {
  TemplateHeader header;
  reader.header(kHeaderTag);
  header.chain = reader.fixed<ChainId>();
  header.height.value = reader.u64();
  header.parent = reader.fixed<BlockId>();
  header.log_size = reader.u64();
  header.log_root = reader.fixed<Hash>();
  header.history_root = reader.fixed<Hash>();
  header.annex_root = reader.fixed<Hash>();
  header.started.value = reader.i64();
  header.time.value = reader.i64();
  header.share_target.bits = reader.u32();
  header.share_count = reader.u16();
  header.member_set = reader.fixed<Hash>();
  if (reader.ok() && !expand(header.share_target)) reader.refuse("a target that is not canonical");
  return header;
}

Seal read_seal(Reader& reader) {
  Seal seal;
  reader.header(kSealTag);
  seal.sealed_at.value = reader.i64();
  const std::size_t shares = reader.count16(kSealSharesMax, kNonceSize);
  seal.shares.reserve(shares);
  for (std::size_t i = 0; i < shares; ++i) {
    const std::uint64_t high = reader.u64();
    seal.shares.push_back(Nonce{high, reader.u32()});
  }
  return seal;
}

template <class Value>
Result<Value> finish(Reader& reader, const char* what, Value value) {
  if (auto end = reader.finish(what); !end) return tl::unexpected<Error>(end.error());
  return value;
}

}  // namespace

Bytes encode_annex_item(const AnnexItem& item) {
  Writer writer(96);
  writer.header(kAnnexItemTag);
  if (const auto* order = std::get_if<MemberOrder>(&item)) {
    write_order(writer, *order);
  } else {
    write_rejection(writer, std::get<Rejection>(item));
  }
  return writer.take();
}

Result<AnnexItem> decode_annex_item(ByteView bytes) {
  Reader reader(bytes);
  reader.header(kAnnexItemTag);
  const std::uint8_t kind = reader.u8();
  if (kind == kRejectionKind)
    return finish(reader, "annex item", AnnexItem(read_rejection(reader)));
  return finish(reader, "annex item", AnnexItem(read_order(reader, kind)));
}

Hash annex_root(const std::vector<AnnexItem>& annex) {
  LogTree tree;
  for (const AnnexItem& item : annex) tree.append(tree_leaf(encode_annex_item(item)));
  return tree.root();
}

Bytes encode_content(const BlockContent& content) {
  Writer writer(32 + content.entries.size() * kEntrySize + content.annex.size() * 96);
  writer.header(kContentTag).u32(static_cast<std::uint32_t>(content.entries.size()));
  for (const EntryRef& entry : content.entries) writer.fixed(entry.key).fixed(entry.commitment);
  writer.u32(static_cast<std::uint32_t>(content.annex.size()));
  for (const AnnexItem& item : content.annex) writer.sized16(encode_annex_item(item));
  return writer.take();
}

Result<BlockContent> decode_content(ByteView bytes) {
  Reader reader(bytes);
  BlockContent content;
  reader.header(kContentTag);
  const std::size_t entries = reader.count32(kBlockEventsLimit, kEntrySize);
  content.entries.reserve(entries);
  for (std::size_t i = 0; i < entries; ++i) {
    const EventKey key = reader.fixed<EventKey>();
    content.entries.push_back(EntryRef{key, reader.fixed<Commitment>()});
  }
  const std::size_t items = reader.count32(kBlockAnnexLimit, 2);
  for (std::size_t i = 0; i < items; ++i) {
    const ByteView encoded = reader.sized16(kAnnexItemBytesMax);
    if (!reader.ok()) break;
    Result<AnnexItem> item = decode_annex_item(encoded);
    if (!item) return tl::unexpected<Error>(item.error());
    content.annex.push_back(std::move(*item));
  }
  return finish(reader, "block content", std::move(content));
}

Bytes encode_header(const TemplateHeader& header) {
  Writer writer(kHeaderSize);
  writer.header(kHeaderTag)
      .fixed(header.chain)
      .u64(header.height.value)
      .fixed(header.parent)
      .u64(header.log_size)
      .fixed(header.log_root)
      .fixed(header.history_root)
      .fixed(header.annex_root)
      .i64(header.started.value)
      .i64(header.time.value)
      .u32(header.share_target.bits)
      .u16(header.share_count)
      .fixed(header.member_set);
  EC_ASSERT(writer.size() == kHeaderSize, "every header has the same size");
  return writer.take();
}

Result<TemplateHeader> decode_header(ByteView bytes) {
  Reader reader(bytes);
  return finish(reader, "template header", read_header(reader));
}

TemplateHash template_hash(const TemplateHeader& header) {
  return as_kind<TemplateHash>(sha256(encode_header(header)));
}

Bytes encode_seal(const Seal& seal) {
  Writer writer(32 + seal.shares.size() * kNonceSize);
  writer.header(kSealTag).i64(seal.sealed_at.value);
  EC_ASSERT(seal.shares.size() <= kSealSharesMax, "genesis bounds the shares of a seal");
  writer.u16(static_cast<std::uint16_t>(seal.shares.size()));
  for (const Nonce& share : seal.shares) writer.u64(share.high).u32(share.low);
  return writer.take();
}

Result<Seal> decode_seal(ByteView bytes) {
  Reader reader(bytes);
  return finish(reader, "seal", read_seal(reader));
}

BlockId block_id(const SealedHeader& sealed) {
  Writer writer(64 + 16 + sealed.seal.shares.size() * kNonceSize);
  writer.header(kBlockTag).fixed(template_hash(sealed.header)).raw(encode_seal(sealed.seal));
  return as_kind<BlockId>(sha256(writer.take()));
}

Bytes encode_sealed_header(const SealedHeader& sealed) {
  return encode_header(sealed.header) + encode_seal(sealed.seal);
}

Result<SealedHeader> decode_sealed_header(ByteView bytes) {
  Reader reader(bytes);
  SealedHeader sealed;
  sealed.header = read_header(reader);
  sealed.seal = read_seal(reader);
  return finish(reader, "sealed header", std::move(sealed));
}

U256 block_work(const TemplateHeader& header) {
  const Result<U256> target = expand(header.share_target);
  // Only a header that was never checked has such a target; no work stands behind it.
  if (!target) return U256();
  return saturating_mul(U256(header.share_count), expected_hashes(*target));
}

SealedHeader genesis_block(const Genesis& genesis) {
  SealedHeader block;
  block.header.chain = chain_id(genesis);
  block.header.log_root = LogTree().root();
  block.header.history_root = History().root();
  block.header.annex_root = annex_root({});
  block.header.started = genesis.created;
  block.header.time = genesis.created;
  block.header.share_target = genesis.first_target;
  block.header.member_set = member_set_hash(first_members(genesis));
  block.seal.sealed_at = genesis.created;
  return block;
}

}  // namespace eventchain::chain
