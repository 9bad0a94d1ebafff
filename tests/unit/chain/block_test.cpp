#include "chain/block.h"

#include <doctest/doctest.h>

#include <functional>
#include <set>

#include "chain/certificate.h"
#include "chain/hash.h"
#include "chain/history.h"
#include "chain/log_tree.h"
#include "chain_fixture.h"
#include "golden_vectors.h"
#include "tests/unit/filled.h"

using namespace eventchain::chain;
using namespace eventchain::chain::testing;

namespace {

// The header, seal and content of the golden vectors.
TemplateHeader golden_header() {
  TemplateHeader header;
  header.chain = filled<ChainId>(0x11);
  header.height = Height{7};
  header.parent = filled<BlockId>(0x22);
  header.log_size = 9;
  header.log_root = filled<Hash>(0x33);
  header.history_root = filled<Hash>(0x44);
  header.annex_root = filled<Hash>(0x55);
  header.started = UnixMillis{1'000};
  header.time = UnixMillis{2'000};
  header.share_target = kSomeHashes;
  header.share_count = 2;
  header.member_set = filled<Hash>(0x66);
  return header;
}

constexpr Nonce kGoldenNonce{0x0002030405060708, 0x0a0b0c0d};

Seal golden_seal() {
  return Seal{UnixMillis{3'000}, {kGoldenNonce, Nonce{0x0003000000000000, 1}}};
}

AnnexItem golden_item() {
  return Rejection{filled<EventKey>(0x77), filled<Commitment>(0x88),
                   RejectionReason::kVersionConflict, StreamVersion{5}};
}

BlockContent golden_content() {
  return BlockContent{{EntryRef{filled<EventKey>(0x99), filled<Commitment>(0xaa)}},
                      {golden_item()}};
}

TemplateHeader random_header(Rng& rng) {
  TemplateHeader header;
  header.chain = random_bytes<ChainId>(rng);
  header.height = Height{rng.next()};
  header.parent = random_bytes<BlockId>(rng);
  header.log_size = rng.next();
  header.log_root = random_hash(rng);
  header.history_root = random_hash(rng);
  header.annex_root = random_hash(rng);
  header.started = UnixMillis{static_cast<std::int64_t>(rng.next())};
  header.time = UnixMillis{static_cast<std::int64_t>(rng.next())};
  header.share_target = compact(U256(rng.next() | 1) << static_cast<unsigned>(rng.below(192)));
  header.share_count = static_cast<std::uint16_t>(rng.next());
  header.member_set = random_hash(rng);
  return header;
}

Seal random_seal(Rng& rng) {
  Seal seal{UnixMillis{static_cast<std::int64_t>(rng.next())}, {}};
  for (std::uint64_t shares = rng.below(20); shares > 0; --shares)
    seal.shares.push_back(Nonce{rng.next(), static_cast<std::uint32_t>(rng.next())});
  return seal;
}

BlockContent random_content(Rng& rng) {
  BlockContent content;
  for (std::uint64_t left = rng.below(20); left > 0; --left)
    content.entries.push_back(EntryRef{random_bytes<EventKey>(rng), random_bytes<Commitment>(rng)});
  for (std::uint64_t left = rng.below(5); left > 0; --left)
    content.annex.push_back(Rejection{random_bytes<EventKey>(rng), random_bytes<Commitment>(rng),
                                      static_cast<RejectionReason>(rng.between(1, 3)),
                                      StreamVersion{rng.between(-1, 1000)}});
  return content;
}

// Whatever the bytes are, a decoder refuses them or gives a value that is spelled exactly so.
template <class Decode, class Encode>
void check_one_spelling(Rng& rng, const Bytes& sound, Decode decode, Encode encode) {
  for (std::size_t size = 0; size < sound.size(); ++size)
    REQUIRE_FALSE(decode(ByteView(sound).substr(0, size)).has_value());
  REQUIRE_FALSE(decode(sound + '\0').has_value());
  for (int i = 0; i < 50; ++i) {
    Bytes bytes = sound;
    bytes[rng.below(bytes.size())] = static_cast<char>(rng.next());
    const auto decoded = decode(bytes);
    if (decoded.has_value()) {
      REQUIRE(encode(*decoded) == bytes);
    } else {
      REQUIRE(decoded.error().code == ErrorCode::kMalformed);
    }
  }
}

}  // namespace

TEST_CASE("headers, shares, seals and contents are hashed as the golden vectors say") {
  const TemplateHeader header = golden_header();
  CHECK(to_hex(encode_header(header)) == golden_vector("header"));
  CHECK(to_hex(template_hash(header)) == golden_vector("template-hash"));
  const SharePreimage preimage = share_preimage(header, kGoldenNonce);
  CHECK(to_hex(preimage) == golden_vector("share-preimage"));
  const Hash digest = sha256(preimage.view());
  CHECK(to_hex(digest) == golden_vector("share-digest"));
  // The vector has the most significant octet in front.
  const Bytes value = share_value(digest).to_little_endian();
  CHECK(to_hex(Bytes(value.rbegin(), value.rend())) == golden_vector("share-value"));
  CHECK(to_hex(encode_seal(golden_seal())) == golden_vector("seal"));
  CHECK(to_hex(block_id(SealedHeader{header, golden_seal()})) == golden_vector("block-id"));
  CHECK(to_hex(certified_statement(header, block_id(SealedHeader{header, golden_seal()}))) ==
        golden_vector("certified-statement"));
  CHECK(to_hex(encode_annex_item(golden_item())) == golden_vector("annex-item"));
  CHECK(to_hex(annex_root({golden_item()})) == golden_vector("annex-root"));
  CHECK(to_hex(encode_content(golden_content())) == golden_vector("content"));
}

TEST_CASE("the vectors of blocks in FORMATS.md are the golden ones") {
  const std::string formats = formats_without_spaces();
  for (const char* name : {"template-hash", "share-digest", "share-value", "block-id"}) {
    INFO("vector ", std::string(name));
    CHECK(formats.find(golden_vector(name)) != std::string::npos);
  }
}

TEST_CASE("the genesis block has the golden id and stands for an empty chain") {
  const Genesis genesis = small_genesis();
  const SealedHeader block = genesis_block(genesis);
  CHECK(to_hex(block_id(block)) == golden_vector("genesis-block-id"));
  CHECK(block.header.chain == chain_id(genesis));
  CHECK(block.header.height == Height{0});
  CHECK(block.header.log_root == empty_tree_root());
  CHECK(block.header.history_root == History().root());
  CHECK(block.seal.shares.empty());
  CHECK(block_work(block.header).is_zero());
}

TEST_CASE("what is encoded decodes to the same, and every other spelling is refused") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed ", seed);
    Rng rng(seed);
    const SealedHeader sealed{random_header(rng), random_seal(rng)};
    const BlockContent content = random_content(rng);
    CHECK(decode_header(encode_header(sealed.header)).value() == sealed.header);
    CHECK(decode_seal(encode_seal(sealed.seal)).value() == sealed.seal);
    CHECK(decode_sealed_header(encode_sealed_header(sealed)).value() == sealed);
    CHECK(decode_content(encode_content(content)).value() == content);
    check_one_spelling(rng, encode_header(sealed.header), decode_header, encode_header);
    check_one_spelling(rng, encode_seal(sealed.seal), decode_seal, encode_seal);
    check_one_spelling(rng, encode_sealed_header(sealed), decode_sealed_header,
                       encode_sealed_header);
    check_one_spelling(rng, encode_content(content), decode_content, encode_content);
    check_one_spelling(rng, encode_annex_item(golden_item()), decode_annex_item, encode_annex_item);
  }
}

TEST_CASE("a count that the bytes cannot hold is refused before memory is taken for it") {
  Bytes content = encode_content(BlockContent{});
  content[11] = '\xff';
  content[12] = '\xff';
  CHECK_FALSE(decode_content(content).has_value());

  Bytes item = encode_annex_item(golden_item());
  item[9] = 2;  // a kind of annex item that is not known
  CHECK_FALSE(decode_annex_item(item).has_value());
}

TEST_CASE("contents and seals over their limits are refused, at the limits they pass") {
  BlockContent content;
  content.entries.resize(kBlockEventsLimit);
  content.annex.assign(kBlockAnnexLimit, golden_item());
  CHECK(decode_content(encode_content(content)).has_value());
  content.entries.emplace_back();
  CHECK_FALSE(decode_content(encode_content(content)).has_value());
  content.entries.clear();
  content.annex.push_back(golden_item());
  CHECK_FALSE(decode_content(encode_content(content)).has_value());

  Seal seal;
  seal.shares.resize(256);
  Bytes bytes = encode_seal(seal);
  CHECK(decode_seal(bytes).has_value());
  bytes[16] = 1;  // 257
  CHECK_FALSE(decode_seal(bytes + Bytes(12, '\0')).has_value());
}

TEST_CASE("every field of a header, a seal and a rejection changes the block") {
  const std::function<void(SealedHeader&)> changes[] = {
      [](SealedHeader&) {},
      [](SealedHeader& b) { b.header.chain.octets[0] ^= 1; },
      [](SealedHeader& b) { ++b.header.height.value; },
      [](SealedHeader& b) { b.header.parent.octets[0] ^= 1; },
      [](SealedHeader& b) { ++b.header.log_size; },
      [](SealedHeader& b) { b.header.log_root.octets[0] ^= 1; },
      [](SealedHeader& b) { b.header.history_root.octets[0] ^= 1; },
      [](SealedHeader& b) { b.header.annex_root.octets[0] ^= 1; },
      [](SealedHeader& b) { ++b.header.started.value; },
      [](SealedHeader& b) { ++b.header.time.value; },
      [](SealedHeader& b) { --b.header.share_target.bits; },
      [](SealedHeader& b) { ++b.header.share_count; },
      [](SealedHeader& b) { b.header.member_set.octets[0] ^= 1; },
      [](SealedHeader& b) { ++b.seal.sealed_at.value; },
      [](SealedHeader& b) { ++b.seal.shares[0].high; },
      [](SealedHeader& b) { ++b.seal.shares[1].low; },
      [](SealedHeader& b) { b.seal.shares.pop_back(); },
  };
  std::set<BlockId> ids;
  std::set<TemplateHash> templates;
  for (const auto& change : changes) {
    SealedHeader sealed{golden_header(), golden_seal()};
    change(sealed);
    ids.insert(block_id(sealed));
    templates.insert(template_hash(sealed.header));
  }
  CHECK(ids.size() == std::size(changes));
  CHECK(templates.size() == 13);
}

TEST_CASE("the annex root is the tree over the encoded items, in their order") {
  Rejection first = std::get<Rejection>(golden_item());
  Rejection second = first;
  second.reason = RejectionReason::kKeyTaken;
  CHECK(annex_root({}) == empty_tree_root());
  CHECK(annex_root({first, second}) ==
        tree_node(tree_leaf(encode_annex_item(first)), tree_leaf(encode_annex_item(second))));
  CHECK(annex_root({first, second}) != annex_root({second, first}));
}

TEST_CASE("a nonce carries slot, thread and counter from the top") {
  const Nonce nonce{nonce_high(Slot{0xabcd}, 0xef, 0x0102030405), 0};
  CHECK(nonce.high == 0xabcdef0102030405);
  CHECK(nonce.slot() == Slot{0xabcd});
}

TEST_CASE("the nonce can be patched into the preimage where the miner expects it") {
  const TemplateHeader header = golden_header();
  SharePreimage patched = share_preimage(header, Nonce{});
  for (std::size_t i = 0; i < 8; ++i)
    patched.octets[kNonceHighOffset + i] = static_cast<std::uint8_t>(kGoldenNonce.high >> (8 * i));
  for (std::size_t i = 0; i < 4; ++i)
    patched.octets[kNonceLowOffset + i] = static_cast<std::uint8_t>(kGoldenNonce.low >> (8 * i));
  CHECK(patched == share_preimage(header, kGoldenNonce));
  SharePreimage other = share_preimage(header, Nonce{~std::uint64_t{0}, ~std::uint32_t{0}});
  set_nonce(other, kGoldenNonce);
  CHECK(other == patched);
}

TEST_CASE("a share meets exactly the targets from its value upwards") {
  const TemplateHeader header = golden_header();
  const U256 value = share_value(sha256(share_preimage(header, kGoldenNonce).view()));
  CHECK(share_meets(small_digest(), header, kGoldenNonce, value));
  CHECK(share_meets(small_digest(), header, kGoldenNonce, U256::max()));
  CHECK_FALSE(share_meets(small_digest(), header, kGoldenNonce, value - U256(1)));
}

TEST_CASE("work is the number of shares times the hashes for each, without overflow") {
  TemplateHeader header = golden_header();
  const U256 each = expected_hashes(expand(kSomeHashes).value());
  CHECK(block_work(header) == each + each);
  header.share_count = 256;
  header.share_target = CompactTarget{0x03000001};
  CHECK(block_work(header) == U256::max());
  header.share_target = CompactTarget{0};
  CHECK(block_work(header).is_zero());
}
