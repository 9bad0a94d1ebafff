#include "net/codec.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include "net/field_check.h"
#include "net/limits.h"
#include "net/raft_codec.h"
#include "net/wire.pb.h"

namespace eventchain::net {

using chain::Bytes;
using chain::ByteView;
using chain::EntryRef;
using chain::Result;

namespace {

constexpr std::size_t kRefBytes = chain::EventKey::kSize + chain::Commitment::kSize;

// How often the field at the end of `path` occurs, by the wire format alone and without a copy.
// Protobuf makes an object of some 60 octets of each empty item of 2, so items are counted before
// they are parsed. Bytes that are not well-formed count up to where the parser will stop too.
std::size_t count_at(ByteView bytes, std::span<const int> path) {
  using google::protobuf::internal::WireFormatLite;
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                               static_cast<int>(bytes.size()));
  std::size_t count = 0;
  while (const std::uint32_t tag = input.ReadTag()) {
    const bool is_wanted =
        WireFormatLite::GetTagFieldNumber(tag) == path.front() &&
        WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
    if (!is_wanted) {
      if (!WireFormatLite::SkipField(&input, tag)) break;
      continue;
    }
    std::uint32_t size = 0;
    if (!input.ReadVarint32(&size)) break;
    const auto at = static_cast<std::size_t>(input.CurrentPosition());
    if (size > bytes.size() - at) break;
    count += path.size() == 1 ? 1 : count_at(bytes.substr(at, size), path.subspan(1));
    if (!input.Skip(static_cast<int>(size))) break;
  }
  return count;
}

Result<void> check_counts(ByteView bytes) {
  static constexpr int kEvents[]{wire::Frame::kEventsFieldNumber, wire::Events::kEventsFieldNumber};
  static constexpr int kSubmitted[]{wire::Frame::kEventsSubmitFieldNumber,
                                    wire::EventsSubmit::kEventsFieldNumber};
  static constexpr int kBlocks[]{wire::Frame::kBlocksReplyFieldNumber,
                                 wire::BlocksReply::kBlocksFieldNumber};
  static constexpr int kEntries[]{wire::Frame::kRaftFieldNumber,
                                  wire::Raft::kAppendEntriesFieldNumber,
                                  wire::AppendEntries::kEntriesFieldNumber};
  FieldCheck check("frame");
  check.limit(count_at(bytes, kEvents) <= limits::kEventsCountMax, "events", "too many");
  check.limit(count_at(bytes, kSubmitted) <= limits::kEventsCountMax, "events", "too many");
  check.limit(count_at(bytes, kBlocks) <= limits::kBlocksPerReplyMax, "blocks", "too many");
  check.limit(count_at(bytes, kEntries) <= limits::kRaftEntriesMax, "entries", "too many");
  if (!check.ok()) return tl::unexpected(check.take_error());
  return {};
}

template <class T>
Result<Message> checked(FieldCheck& check, T message) {
  if (!check.ok()) return tl::unexpected(check.take_error());
  return Message(std::move(message));
}

std::vector<EntryRef> unpack_refs(const Bytes& packed, FieldCheck& check) {
  std::vector<EntryRef> entries;
  check.require(packed.size() % kRefBytes == 0, "entries", "must be 48 octets each");
  check.limit(packed.size() / kRefBytes <= limits::kRefsCountMax, "entries", "too many");
  if (!check.ok()) return entries;
  entries.reserve(packed.size() / kRefBytes);
  for (ByteView rest = packed; !rest.empty(); rest.remove_prefix(kRefBytes)) {
    entries.push_back(
        {check.fixed<chain::EventKey>(rest.substr(0, chain::EventKey::kSize), "key"),
         check.fixed<chain::Commitment>(
             rest.substr(chain::EventKey::kSize, chain::Commitment::kSize), "commitment")});
  }
  return entries;
}

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

Result<Message> decode_from(wire::Hello& from) {
  FieldCheck check("hello");
  Hello message;
  message.protocol = from.protocol();
  message.chain = check.fixed<chain::ChainId>(from.chain(), "chain");
  message.node = check.fixed<chain::NodeId>(from.node(), "node");
  message.software = std::move(*from.mutable_software());
  // Another version may lack it, and is to be told that it is another version.
  if (message.protocol >= kProtocolWithStore)
    message.store = check.fixed<chain::StoreId>(from.store(), "store");
  check.require(message.protocol != 0, "protocol", "must not be 0");
  check.limit(message.software.size() <= limits::kSoftwareNameMax, "software", "is too long");
  const bool printable = std::all_of(message.software.begin(), message.software.end(),
                                     [](char c) { return c >= 0x20 && c < 0x7f; });
  check.require(printable, "software", "must be printable ASCII");
  return checked(check, std::move(message));
}

Result<Message> decode_from(wire::Raft& from) {
  Result<consensus::Envelope> envelope = decode_raft(std::move(from));
  if (!envelope) return tl::unexpected(envelope.error());
  return RaftSaid{std::move(*envelope)};
}

// Of Events and EventsSubmit.
template <class From>
std::vector<RawEvent> take_events(From& from, FieldCheck& check) {
  std::vector<RawEvent> events;
  events.reserve(static_cast<std::size_t>(from.events_size()));
  std::size_t bytes = 0;
  for (wire::Event& item : *from.mutable_events()) {
    check.require(!item.body().empty(), "body", "must not be empty");
    bytes += item.body().size();
    events.push_back(
        {check.fixed<chain::Salt>(item.salt(), "salt"), std::move(*item.mutable_body())});
  }
  check.limit(bytes <= limits::kEventsBytesMax, "events", "the bodies are too large together");
  return events;
}

Result<Message> decode_from(wire::Events& from) {
  FieldCheck check("events");
  return checked(check, Events{from.batch(), take_events(from, check)});
}

Result<Message> decode_from(wire::EventsSubmit& from) {
  FieldCheck check("events_submit");
  check.require(from.batch() != 0, "batch", "must not be 0");
  check.require(from.events_size() != 0, "events", "must not be empty");
  return checked(check, EventsSubmit{from.batch(), take_events(from, check)});
}

Result<Message> decode_from(const wire::EventsSettled& from) {
  FieldCheck check("events_settled");
  EventsSettled message;
  message.batch = from.batch();
  check.require(from.batch() != 0, "batch", "must not be 0");
  check.limit(from.results().size() <= limits::kEventsCountMax, "results", "too many");
  message.results.reserve(check.ok() ? from.results().size() : 0);
  for (const char octet : from.results()) {
    if (!check.ok()) break;
    check.require(static_cast<std::uint8_t>(octet) <= 3, "results", "unknown result");
    message.results.push_back(static_cast<SettleResult>(octet));
  }
  return checked(check, std::move(message));
}

Result<Message> decode_from(const wire::EventsHeld& from) {
  FieldCheck check("events_held");
  EventsHeld message;
  message.batch = from.batch();
  message.voters_since.value = from.voters_since();
  check.require(from.batch() != 0, "batch", "must not be 0");
  check.limit(from.results().size() <= limits::kEventsCountMax, "results", "too many");
  message.results.reserve(check.ok() ? from.results().size() : 0);
  for (const char octet : from.results()) {
    if (!check.ok()) break;
    check.require(octet >= 1 && octet <= 3, "results", "unknown result");
    message.results.push_back(static_cast<HoldResult>(octet));
  }
  return checked(check, std::move(message));
}

Result<Message> decode_from(const wire::EventsAnnounce& from) {
  FieldCheck check("events_announce");
  return checked(check, EventsAnnounce{unpack_refs(from.entries(), check)});
}

Result<Message> decode_from(const wire::EventsRequest& from) {
  FieldCheck check("events_request");
  return checked(check, EventsRequest{unpack_refs(from.entries(), check)});
}

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

Result<Message> decode_from(const wire::ReadAsk& from) {
  FieldCheck check("read_ask");
  check.require(from.question() != 0, "question", "must not be 0");
  return checked(check, ReadAsk{from.question()});
}

// ReadRound and its answer have the same fields.
template <class Round, class From>
Result<Message> decode_round(const From& from, const char* name) {
  FieldCheck check(name);
  check.require(from.term() != 0, "term", "must not be 0");
  check.require(from.round() != 0, "round", "must not be 0");
  return checked(check, Round{consensus::Term{from.term()}, from.round()});
}

Result<Message> decode_from(const wire::ReadTold& from) {
  FieldCheck check("read_told");
  check.require(from.question() != 0, "question", "must not be 0");
  return checked(check, ReadTold{from.question(), consensus::LogIndex{from.index()},
                                 chain::Height{from.height()}});
}

Result<Message> decode_from(const wire::Signatures& from) {
  FieldCheck check("signatures");
  Signatures message;
  message.height = chain::Height{from.height()};
  message.block = check.fixed<chain::BlockId>(from.block(), "block");
  check.require(from.height() != 0, "height", "must not be 0");
  check.require(!from.packed().empty(), "packed", "must not be empty");
  message.signatures = unpack_signatures(from.packed(), check, "packed");
  return checked(check, std::move(message));
}

Result<Message> decode_from(const wire::OrderAsk& from) {
  FieldCheck check("order_ask");
  check.require(from.number() != 0, "number", "must not be 0");
  check.require(from.order().empty() != from.transfer_to().empty(), "order",
                "there must be an order or the next leader, and not both");
  OrderAsk message{from.number(), TransferLeadership{}};
  if (from.order().empty()) {
    message.order =
        TransferLeadership{check.fixed<chain::NodeId>(from.transfer_to(), "transfer_to")};
    return checked(check, std::move(message));
  }
  auto item = chain::decode_annex_item(from.order());
  if (!item) return chain::fail(item.error().code, "order_ask.order: " + item.error().message);
  auto* order = std::get_if<chain::MemberOrder>(&*item);
  check.require(order != nullptr, "order", "must be an order");
  if (order != nullptr) message.order = std::move(*order);
  return checked(check, std::move(message));
}

Result<Message> decode_from(const wire::OrderTold& from) {
  FieldCheck check("order_told");
  check.require(from.number() != 0, "number", "must not be 0");
  check.require(from.outcome() >= 1 && from.outcome() <= 3, "outcome", "unknown outcome");
  check.limit(from.message().size() <= limits::kOrderMessageMax, "message", "too long");
  return checked(check, OrderTold{from.number(), static_cast<OrderOutcome>(from.outcome()),
                                  from.message(), chain::Height{from.height()}});
}

// SettleAsk and its answer have the same fields.
template <class Settle, class From>
Result<Message> decode_settle(const From& from, const char* name) {
  FieldCheck check(name);
  check.require(from.term() != 0, "term", "must not be 0");
  return checked(check, Settle{consensus::Term{from.term()}, chain::Height{from.voters_since()}});
}

Result<Message> decode_from(const wire::Seen& from) {
  FieldCheck check("seen");
  check.require(from.term() != 0, "term", "must not be 0");
  return checked(check, Seen{check.fixed<chain::StoreId>(from.store(), "store"),
                             consensus::Term{from.term()}, consensus::LogIndex{from.index()}});
}

Result<Message> decode_frame(wire::Frame& frame) {
  switch (frame.said_case()) {
    case wire::Frame::kHello:
      return decode_from(*frame.mutable_hello());
    case wire::Frame::kRaft:
      return decode_from(*frame.mutable_raft());
    case wire::Frame::kEvents:
      return decode_from(*frame.mutable_events());
    case wire::Frame::kEventsHeld:
      return decode_from(frame.events_held());
    case wire::Frame::kEventsAnnounce:
      return decode_from(frame.events_announce());
    case wire::Frame::kEventsRequest:
      return decode_from(frame.events_request());
    case wire::Frame::kTemplatePush:
      return decode_from(frame.template_push());
    case wire::Frame::kTemplateRequest:
      return decode_from(frame.template_request());
    case wire::Frame::kSharePush:
      return decode_from(frame.share_push());
    case wire::Frame::kTipSaid:
      return decode_from(frame.tip_said());
    case wire::Frame::kBlocksRequest:
      return decode_from(frame.blocks_request());
    case wire::Frame::kBlocksReply:
      return decode_from(frame.blocks_reply());
    case wire::Frame::kReadAsk:
      return decode_from(frame.read_ask());
    case wire::Frame::kReadRound:
      return decode_round<ReadRound>(frame.read_round(), "read_round");
    case wire::Frame::kReadRoundHeld:
      return decode_round<ReadRoundHeld>(frame.read_round_held(), "read_round_held");
    case wire::Frame::kReadTold:
      return decode_from(frame.read_told());
    case wire::Frame::kSignatures:
      return decode_from(frame.signatures());
    case wire::Frame::kOrderAsk:
      return decode_from(frame.order_ask());
    case wire::Frame::kOrderTold:
      return decode_from(frame.order_told());
    case wire::Frame::kSettleAsk:
      return decode_settle<SettleAsk>(frame.settle_ask(), "settle_ask");
    case wire::Frame::kSettleHeld:
      return decode_settle<SettleHeld>(frame.settle_held(), "settle_held");
    case wire::Frame::kSeen:
      return decode_from(frame.seen());
    case wire::Frame::kEventsSubmit:
      return decode_from(*frame.mutable_events_submit());
    case wire::Frame::kEventsSettled:
      return decode_from(frame.events_settled());
    case wire::Frame::SAID_NOT_SET:
      break;
  }
  return chain::fail(chain::ErrorCode::kMalformed,
                     "frame: no message of a known kind; both nodes must run this protocol "
                     "version");
}

}  // namespace

Result<Message> decode(ByteView bytes) {
  if (bytes.size() > limits::kFrameBytesMax)
    return chain::fail(chain::ErrorCode::kTooLarge,
                       "frame: over the limit of 4 MiB; the peer must send smaller messages");
  if (Result<void> counts = check_counts(bytes); !counts) return tl::unexpected(counts.error());
  wire::Frame frame;
  if (!frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return chain::fail(chain::ErrorCode::kMalformed,
                       "frame: is not Protobuf of this schema; both nodes must run this protocol "
                       "version");
  return decode_frame(frame);
}

}  // namespace eventchain::net
