#include "node/api/receipt_json_parts.h"

#include <charconv>
#include <memory>
#include <optional>

#include "chain/base64.h"
#include "node/api/json_object.h"
#include "node/api/outcome_json.h"

namespace eventchain::node::api {

namespace {

namespace json = boost::json;
using chain::ErrorCode;
using chain::fail;
using chain::Result;

constexpr std::size_t kPathMax = 64;     // levels of a tree whose size has 64 bits
constexpr std::size_t kSharesMax = 256;  // as genesis allows
constexpr std::size_t kSignaturesMax = chain::kVotersMax + 1;  // before and after one change

// Digits without leading zeros; the whole text.
template <class Integer>
std::optional<Integer> parse_decimal(std::string_view text) {
  Integer value{};
  const char* const end = text.data() + text.size();
  const auto [behind, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || behind != end || std::to_string(value) != text) return std::nullopt;
  return value;
}

std::optional<chain::U256> parse_u256(std::string_view text) {
  constexpr std::size_t kDigitsMax = 78;
  if (text.empty() || text.size() > kDigitsMax) return std::nullopt;
  chain::U256 value;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * chain::U256(10) + chain::U256(static_cast<std::uint64_t>(c - '0'));
  }
  // Of what wrapped round, or begins with a zero, this is another text.
  if (value.to_decimal() != text) return std::nullopt;
  return value;
}

template <class Integer>
Integer decimal(JsonObject& object, const char* name) {
  const auto value = parse_decimal<Integer>(object.text(name));
  if (!value)
    object.refuse(fmt::format("{} must be a string with a decimal integer of 64 bits", name));
  return value.value_or(Integer{});
}

Result<chain::Hash> read_hash(const json::value& value, const std::string& where) {
  const json::string* text = value.if_string();
  const auto octets =
      text != nullptr ? chain::from_hex({text->data(), text->size()}) : std::nullopt;
  const auto hash = octets ? chain::Hash::from(*octets) : std::nullopt;
  if (!hash) return fail(ErrorCode::kMalformed, where + " must be 64 lower-case hex digits");
  return *hash;
}

Result<chain::Bytes> read_octets(const json::value& value, const std::string& where) {
  const json::string* text = value.if_string();
  auto octets = text != nullptr ? chain::from_base64({text->data(), text->size()}) : std::nullopt;
  if (!octets) return fail(ErrorCode::kMalformed, where + " must be base64 (RFC 4648, section 4)");
  return std::move(*octets);
}

Result<chain::Nonce> read_share(const json::value& value, const std::string& where) {
  const json::string* text = value.if_string();
  const auto octets =
      text != nullptr ? chain::from_hex({text->data(), text->size()}) : std::nullopt;
  if (!octets || octets->size() != 12)
    return fail(ErrorCode::kMalformed, where + " must be 24 lower-case hex digits");
  chain::Nonce share;
  for (std::size_t i = 0; i < 8; ++i)
    share.high = share.high << 8 | static_cast<std::uint8_t>((*octets)[i]);
  for (std::size_t i = 8; i < 12; ++i)
    share.low = share.low << 8 | static_cast<std::uint8_t>((*octets)[i]);
  return share;
}

chain::CompactTarget read_target(JsonObject& object, const char* name) {
  chain::CompactTarget target;
  const auto octets = chain::from_hex(object.text(name));
  if (octets && octets->size() == 4)
    for (const char octet : *octets)
      target.bits = target.bits << 8 | static_cast<std::uint8_t>(octet);
  if (!chain::expand(target))
    object.refuse(
        fmt::format("{} must be a canonical compact target of 8 lower-case hex digits", name));
  return target;
}

Result<chain::SlotSignature> read_signature(const json::value& value, const std::string& where) {
  JsonObject object(value, where);
  chain::SlotSignature one{};
  one.slot.value = object.integer<std::uint16_t>("slot");
  one.signature = object.hex<chain::Signature>("signature");
  if (const auto done = object.finish(); !done) return passed_on(done);
  return one;
}

Result<chain::AnnexSibling> read_sibling(const json::value& value, const std::string& where) {
  JsonObject object(value, where);
  chain::AnnexSibling sibling;
  const std::string side = object.text("side");
  if (side != "left" && side != "right") object.refuse("side must be left or right");
  if (side == "right") sibling.side = chain::AnnexSibling::Side::kRight;
  sibling.hash = object.hex<chain::Hash>("hash");
  if (const auto done = object.finish(); !done) return passed_on(done);
  return sibling;
}

chain::RejectionReason read_reason(JsonObject& object) {
  using enum chain::RejectionReason;
  const std::string text = object.text("reason");
  for (const auto reason : {kVersionConflict, kExpectationExpired, kKeyTaken})
    if (text == name_of(reason)) return reason;
  object.refuse(fmt::format("reason must be {}, {} or {}", name_of(kVersionConflict),
                            name_of(kExpectationExpired), name_of(kKeyTaken)));
  return kVersionConflict;
}

Result<chain::HistoryNode> read_history_node(const json::value& value, const std::string& where) {
  JsonObject object(value, where);
  chain::HistoryNode node;
  node.hash = object.hex<chain::Hash>("hash");
  const auto work = parse_u256(object.text("work"));
  if (!work) object.refuse("work must be a string with a decimal integer of 256 bits");
  node.work = work.value_or(chain::U256());
  node.blocks = decimal<std::uint64_t>(object, "blocks");
  node.first_time.value = decimal<std::int64_t>(object, "first_time_ms");
  node.last_time.value = decimal<std::int64_t>(object, "last_time_ms");
  if (const auto done = object.finish(); !done) return passed_on(done);
  return node;
}

Result<chain::AnnexItem> read_annex_item(const json::value& value, const std::string& where) {
  const auto octets = read_octets(value, where);
  if (!octets) return passed_on(octets);
  auto item = chain::decode_annex_item(*octets);
  if (!item) return fail(ErrorCode::kMalformed, where + ": " + item.error().message);
  return item;
}

}  // namespace

Result<chain::SealedHeader> read_block(const json::value& value, const std::string& where,
                                       const chain::ChainId& chain) {
  JsonObject object(value, where);
  chain::SealedHeader sealed;
  chain::TemplateHeader& header = sealed.header;
  header.chain = chain;
  header.height.value = decimal<std::uint64_t>(object, "height");
  header.parent = object.hex<chain::BlockId>("parent");
  header.log_size = decimal<std::uint64_t>(object, "log_size");
  header.log_root = object.hex<chain::Hash>("log_root");
  header.history_root = object.hex<chain::Hash>("history_root");
  header.annex_root = object.hex<chain::Hash>("annex_root");
  header.started.value = decimal<std::int64_t>(object, "started_ms");
  header.time.value = decimal<std::int64_t>(object, "time_ms");
  header.share_target = read_target(object, "share_target");
  header.share_count = object.integer<std::uint16_t>("share_count");
  header.member_set = object.hex<chain::Hash>("member_set");
  sealed.seal.sealed_at.value = decimal<std::int64_t>(object, "sealed_at_ms");
  const json::value* shares = object.member("shares");
  if (const auto done = object.finish(); !done) return passed_on(done);
  auto read = read_list<chain::Nonce>(*shares, where + ".shares", kSharesMax, read_share);
  if (!read) return passed_on(read);
  sealed.seal.shares = std::move(*read);
  return sealed;
}

Result<chain::Certificate> read_certificate(const json::value& value, const std::string& where) {
  return read_list<chain::SlotSignature>(value, where, kSignaturesMax, read_signature);
}

Result<chain::ShownBody> read_event(const json::value& value, const std::string& where) {
  JsonObject object(value, where);
  chain::ShownBody shown;
  shown.salt = object.hex<chain::Salt>("salt");
  const json::value* body = object.member("body");
  if (const auto done = object.finish(); !done) return passed_on(done);
  auto octets = read_octets(*body, where + ".body");
  if (!octets) return passed_on(octets);
  shown.body = std::move(*octets);
  return shown;
}

Result<chain::ReceiptEntry> read_entry(const json::value& value, const std::string& where) {
  JsonObject object(value, where);
  chain::ReceiptEntry entry;
  entry.commitment = object.hex<chain::Commitment>("commitment");
  entry.position.value = decimal<std::uint64_t>(object, "position");
  const json::value* path = object.member("path");
  if (const auto done = object.finish(); !done) return passed_on(done);
  auto hashes = read_list<chain::Hash>(*path, where + ".path", kPathMax, read_hash);
  if (!hashes) return passed_on(hashes);
  entry.path = std::move(*hashes);
  return entry;
}

Result<chain::ReceiptRejection> read_rejection(const json::value& value, const std::string& where) {
  JsonObject object(value, where);
  chain::Rejection rejection{};
  rejection.commitment = object.hex<chain::Commitment>("commitment");
  rejection.key = object.hex<chain::EventKey>("key");
  rejection.reason = read_reason(object);
  rejection.stream_version.value = decimal<std::int64_t>(object, "stream_version");
  const json::value* path = object.member("path");
  if (const auto done = object.finish(); !done) return passed_on(done);
  auto siblings = read_list<chain::AnnexSibling>(*path, where + ".path", kPathMax, read_sibling);
  if (!siblings) return passed_on(siblings);
  return chain::ReceiptRejection{rejection, std::move(*siblings)};
}

Result<chain::NewerBlock> read_newer(const json::value& value, const std::string& where,
                                     const chain::ChainId& chain) {
  JsonObject object(value, where);
  const json::value* block = object.member("block");
  const json::value* path = object.member("path");
  if (const auto done = object.finish(); !done) return passed_on(done);
  auto sealed = read_block(*block, where + ".block", chain);
  if (!sealed) return passed_on(sealed);
  auto nodes = read_list<chain::HistoryNode>(*path, where + ".path", kPathMax, read_history_node);
  if (!nodes) return passed_on(nodes);
  return chain::NewerBlock{std::move(*sealed), std::move(*nodes)};
}

Result<chain::VoterStep> read_voter_step(const json::value& value, const std::string& where,
                                         const chain::ChainId& chain) {
  JsonObject object(value, where);
  const json::value* block = object.member("block");
  const json::value* annex = object.member("annex");
  const json::value* certificate = object.member("certificate");
  if (const auto done = object.finish(); !done) return passed_on(done);
  auto sealed = read_block(*block, where + ".block", chain);
  if (!sealed) return passed_on(sealed);
  auto items = read_list<chain::AnnexItem>(*annex, where + ".annex", chain::kBlockAnnexLimit,
                                           read_annex_item);
  if (!items) return passed_on(items);
  auto signatures = read_certificate(*certificate, where + ".certificate");
  if (!signatures) return passed_on(signatures);
  return chain::VoterStep{std::move(*sealed), std::move(*items), std::move(*signatures)};
}

Result<chain::MembersRef> read_member_set(const json::value& value, const std::string& where) {
  const auto octets = read_octets(value, where);
  if (!octets) return passed_on(octets);
  auto set = chain::decode_member_set(*octets);
  if (!set) return fail(ErrorCode::kMalformed, where + ": " + set.error().message);
  return chain::MembersRef(std::make_shared<const chain::MemberSet>(std::move(*set)));
}

Result<chain::LogConsistency> read_consistency(const json::value& value, const std::string& where) {
  JsonObject object(value, where);
  chain::LogConsistency consistency;
  consistency.size = decimal<std::uint64_t>(object, "size");
  const json::value* path = object.member("path");
  if (const auto done = object.finish(); !done) return passed_on(done);
  auto hashes = read_list<chain::Hash>(*path, where + ".path", kPathMax + 1, read_hash);
  if (!hashes) return passed_on(hashes);
  consistency.path = std::move(*hashes);
  return consistency;
}

}  // namespace eventchain::node::api
