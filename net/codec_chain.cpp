#include <limits>

#include "net/codec_fields.h"
#include "net/limits.h"

namespace eventchain::net {

using chain::ByteView;
using chain::Result;

namespace {

// Of one block, ascending by slot; may be empty.
chain::Certificate unpack_signatures(ByteView packed, FieldCheck& check, const char* field) {
  constexpr std::size_t kItem = 2 + chain::Signature::kSize;
  chain::Certificate signatures;
  check.require(packed.size() % kItem == 0, field, "must be 66 octets each");
  check.limit(packed.size() / kItem <= limits::kSignaturesMax, field, "too many");
  for (; check.ok() && !packed.empty(); packed.remove_prefix(kItem)) {
    const auto octet = [&](std::size_t at) { return static_cast<std::uint8_t>(packed[at]); };
    const chain::Slot slot{static_cast<std::uint16_t>(octet(0) << 8 | octet(1))};
    check.require(signatures.empty() || signatures.back().slot < slot, field,
                  "must ascend by slot");
    signatures.push_back(
        {slot, check.fixed<chain::Signature>(packed.substr(2, chain::Signature::kSize), field)});
  }
  return signatures;
}

// What is left of a content without its entries. An empty one is not written.
std::vector<chain::AnnexItem> annex_alone(ByteView bytes, FieldCheck& check, const char* field) {
  chain::BlockContent content = check.nested(chain::decode_content(bytes), field);
  check.require(!check.ok() || content.entries.empty(), field, "must have no entries");
  check.require(!check.ok() || !content.annex.empty(), field, "must be absent or have items");
  return std::move(content.annex);
}

}  // namespace

Result<Message> decode_from(const wire::TemplatePush& from) {
  FieldCheck check("template_push");
  TemplatePush message;
  message.made.header = check.nested(chain::decode_header(from.header()), "header");
  if (check.ok())
    message.made.content = check.nested(chain::decode_content(from.content()), "content");
  return checked(check, std::move(message));
}

Result<Message> decode_from(const wire::TemplateRequest& from) {
  FieldCheck check("template_request");
  TemplateRequest message{check.fixed<chain::TemplateHash>(from.hash(), "hash"),
                          chain::Height{from.height()}};
  return checked(check, message);
}

Result<Message> decode_from(const wire::SharePush& from) {
  FieldCheck check("share_push");
  SharePush message;
  message.template_hash = check.fixed<chain::TemplateHash>(from.template_hash(), "template_hash");
  message.nonce = {from.nonce_high(), from.nonce_low()};
  return checked(check, message);
}

Result<Message> decode_from(const wire::TipSaid& from) {
  FieldCheck check("tip_said");
  TipSaid message{chain::Height{from.height()}, check.fixed<chain::BlockId>(from.id(), "id")};
  message.term = consensus::Term{from.term()};
  const bool has_word = from.term() != 0;
  check.require(has_word || from.leader().empty(), "leader", "leads in a term");
  check.require(has_word || from.age() == 0, "age", "belongs to a term");
  if (!from.leader().empty()) message.leader = check.fixed<chain::NodeId>(from.leader(), "leader");
  constexpr auto kAgeMax = static_cast<std::uint64_t>(limits::kTipAgeMax.count());
  check.limit(from.age() <= 1 + kAgeMax, "age", "is too old");
  if (from.age() != 0 && check.ok())
    message.age = std::chrono::milliseconds(static_cast<std::int64_t>(from.age() - 1));
  if (from.has_clock()) {
    const wire::Clock& clock = from.clock();
    constexpr std::uint64_t kMarkMax = std::uint64_t{1} << 62;
    check.require(clock.mark() != 0 && clock.mark() <= kMarkMax, "clock.mark",
                  "must be from 1 to 2^62");
    check.require(clock.echo() <= kMarkMax, "clock.echo", "must be at most 2^62");
    check.require(clock.echo() != 0 || clock.echo_held() == 0, "clock.echo_held",
                  "belongs to an echo");
    if (!check.ok()) return checked(check, message);
    const auto milliseconds = [](std::uint64_t count) {
      return std::chrono::milliseconds(static_cast<std::int64_t>(count));
    };
    message.clock = ClockSaid{{clock.wall()},
                              milliseconds(clock.mark()),
                              milliseconds(clock.echo()),
                              milliseconds(clock.echo_held())};
  }
  return checked(check, message);
}

Result<Message> decode_from(const wire::BlocksRequest& from) {
  FieldCheck check("blocks_request");
  check.require(from.count() != 0, "count", "must not be 0");
  check.limit(from.count() <= limits::kBlocksPerReplyMax, "count", "is too large");
  check.require(from.from() <= std::numeric_limits<std::uint64_t>::max() - from.count(), "from",
                "leaves no room for `count`");
  return checked(check, BlocksRequest{chain::Height{from.from()}, from.count()});
}

Result<Message> decode_from(const wire::BlocksReply& from) {
  FieldCheck check("blocks_reply");
  BlocksReply message;
  message.from = chain::Height{from.from()};
  message.blocks.reserve(static_cast<std::size_t>(from.blocks_size()));
  chain::Height expected = message.from;
  for (const wire::Block& item : from.blocks()) {
    chain::Block block;
    block.sealed.header = check.nested(chain::decode_header(item.header()), "header");
    if (check.ok()) block.sealed.seal = check.nested(chain::decode_seal(item.seal()), "seal");
    if (check.ok()) block.content = check.nested(chain::decode_content(item.content()), "content");
    check.require(block.sealed.header.height == expected, "blocks",
                  "must ascend from `from` without gaps");
    if (!check.ok()) break;
    expected = expected.next();
    message.blocks.push_back(std::move(block));
  }
  check.require(from.certificate().empty() || !message.blocks.empty(), "certificate",
                "must be of a block");
  message.certificate = unpack_signatures(from.certificate(), check, "certificate");
  return checked(check, std::move(message));
}

Result<Message> decode_from(const wire::HeadersRequest& from) {
  FieldCheck check("headers_request");
  check.require(from.from() != 0, "from", "must not be 0");
  check.require(from.count() != 0, "count", "must not be 0");
  check.limit(from.count() <= limits::kHeadersPerReplyMax, "count", "is too large");
  check.require(from.from() <= std::numeric_limits<std::uint64_t>::max() - from.count(), "from",
                "leaves no room for `count`");
  return checked(check, HeadersRequest{chain::Height{from.from()}, from.count()});
}

Result<Message> decode_from(const wire::HeadersReply& from) {
  FieldCheck check("headers_reply");
  HeadersReply message;
  message.from = chain::Height{from.from()};
  message.blocks.reserve(static_cast<std::size_t>(from.blocks_size()));
  chain::Height expected = message.from;
  for (const wire::LightBlock& item : from.blocks()) {
    chain::LightBlock block;
    block.sealed.header = check.nested(chain::decode_header(item.header()), "header");
    if (check.ok()) block.sealed.seal = check.nested(chain::decode_seal(item.seal()), "seal");
    if (check.ok() && !item.annex().empty())
      block.annex = annex_alone(item.annex(), check, "annex");
    check.require(block.sealed.header.height == expected, "blocks",
                  "must ascend from `from` without gaps");
    if (!check.ok()) break;
    expected = expected.next();
    message.blocks.push_back(std::move(block));
  }
  check.require(from.certificate().empty() == message.blocks.empty(), "certificate",
                "must be there if and only if there are blocks");
  message.certificate = unpack_signatures(from.certificate(), check, "certificate");
  return checked(check, std::move(message));
}

Result<Message> decode_from(const wire::TemplateHeaderPush& from) {
  FieldCheck check("template_header_push");
  TemplateHeaderPush message;
  message.header = check.nested(chain::decode_header(from.header()), "header");
  return checked(check, std::move(message));
}

Result<Message> decode_from(const wire::Signatures& from) {
  FieldCheck check("signatures");
  Signatures message;
  message.height = chain::Height{from.height()};
  message.block = check.fixed<chain::BlockId>(from.block(), "block");
  check.require(from.height() != 0, "height", "must not be 0");
  message.signatures = unpack_signatures(from.packed(), check, "packed");
  return checked(check, std::move(message));
}

}  // namespace eventchain::net
