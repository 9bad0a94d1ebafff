#include "net/codec.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <span>

#include "net/codec_fields.h"
#include "net/limits.h"

namespace eventchain::net {

using chain::ByteView;
using chain::Result;

namespace {

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
  static constexpr int kHeaders[]{wire::Frame::kHeadersReplyFieldNumber,
                                  wire::HeadersReply::kBlocksFieldNumber};
  static constexpr int kEntries[]{wire::Frame::kRaftFieldNumber,
                                  wire::Raft::kAppendEntriesFieldNumber,
                                  wire::AppendEntries::kEntriesFieldNumber};
  FieldCheck check("frame");
  check.limit(count_at(bytes, kEvents) <= limits::kEventsCountMax, "events", "too many");
  check.limit(count_at(bytes, kSubmitted) <= limits::kEventsCountMax, "events", "too many");
  check.limit(count_at(bytes, kBlocks) <= limits::kBlocksPerReplyMax, "blocks", "too many");
  check.limit(count_at(bytes, kHeaders) <= limits::kHeadersPerReplyMax, "blocks", "too many");
  check.limit(count_at(bytes, kEntries) <= limits::kRaftEntriesMax, "entries", "too many");
  if (!check.ok()) return tl::unexpected(check.take_error());
  return {};
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
      return decode_from(frame.read_round());
    case wire::Frame::kReadRoundHeld:
      return decode_from(frame.read_round_held());
    case wire::Frame::kReadTold:
      return decode_from(frame.read_told());
    case wire::Frame::kSignatures:
      return decode_from(frame.signatures());
    case wire::Frame::kOrderAsk:
      return decode_from(frame.order_ask());
    case wire::Frame::kOrderTold:
      return decode_from(frame.order_told());
    case wire::Frame::kSettleAsk:
      return decode_from(frame.settle_ask());
    case wire::Frame::kSettleHeld:
      return decode_from(frame.settle_held());
    case wire::Frame::kSeen:
      return decode_from(frame.seen());
    case wire::Frame::kEventsSubmit:
      return decode_from(*frame.mutable_events_submit());
    case wire::Frame::kEventsSettled:
      return decode_from(frame.events_settled());
    case wire::Frame::kHeadersRequest:
      return decode_from(frame.headers_request());
    case wire::Frame::kHeadersReply:
      return decode_from(frame.headers_reply());
    case wire::Frame::kTemplateHeaderPush:
      return decode_from(frame.template_header_push());
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
