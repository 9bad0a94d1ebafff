#include "mining/process/messages.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

#include "chain/encoding.h"
#include "chain/text.h"

namespace eventchain::mining::process {
namespace {

using chain::ErrorCode;
using chain::fail;
using chain::Reader;
using chain::Result;
using chain::Writer;

constexpr std::size_t kLengthOctets = 4;
constexpr std::string_view kTag = "eventchain-miner";

enum class Kind : std::uint8_t {
  kNodeHello = 1,
  kMinerHello = 2,
  kRefusal = 3,
  kOrder = 4,
  kStop = 5,
  kWish = 6,
  kShare = 7,
  kReport = 8,
};

// Shares of the processors travel in millionths.
constexpr std::uint32_t kWhole = 1'000'000;

std::uint32_t millionths(double share) {
  if (!(share > 0)) return 0;
  return static_cast<std::uint32_t>(std::lround(std::min(share, 1.0) * kWhole));
}

double read_share(Reader& reader) {
  const std::uint32_t value = reader.u32();
  if (value > kWhole) reader.refuse("a share of more than the whole");
  return static_cast<double>(value) / kWhole;
}

std::uint64_t whole_number(double value) {
  // Far above any rate, and exact in both types.
  constexpr double kMax = 9e15;
  return value > 0 ? static_cast<std::uint64_t>(std::min(value, kMax)) : 0;
}

// A sentence may name a file, whose name may be any octets.
std::string sendable(std::string text) {
  if (!chain::is_utf8(text)) {
    for (char& c : text)
      if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  if (text.size() <= kTextMax) return text;
  std::size_t end = kTextMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text;
}

std::string read_text(Reader& reader) {
  std::string text(reader.sized16(kTextMax));
  if (!chain::is_utf8(text)) reader.refuse("a text that is no UTF-8");
  return text;
}

// Kind, tag and version stay where they are in every version.
void write_hello(Writer& writer) {
  writer.raw(kTag).u16(kProtocolVersion);
}

template <class Enum>
Enum read_enum(Reader& reader, std::size_t count) {
  const std::uint8_t value = reader.u8();
  if (value >= count) reader.refuse("a number without a meaning");
  return reader.ok() ? static_cast<Enum>(value) : Enum{};
}

struct Encoder {
  Writer& writer;

  Kind operator()(const NodeHello& hello) const {
    write_hello(writer);
    writer.fixed(hello.chain).u8(hello.work_function).u16(hello.feature_level);
    return Kind::kNodeHello;
  }
  Kind operator()(const MinerHello&) const {
    write_hello(writer);
    return Kind::kMinerHello;
  }
  Kind operator()(const Refusal& refusal) const {
    writer.sized16(sendable(refusal.why));
    return Kind::kRefusal;
  }
  Kind operator()(const WorkOrder& order) const {
    writer.sized16(chain::encode_header(order.header)).u16(order.slot.value).u256(order.target);
    return Kind::kOrder;
  }
  Kind operator()(const StopWork&) const { return Kind::kStop; }
  Kind operator()(const OperatorWish& wish) const {
    writer.boolean(wish.pauses).u8(static_cast<std::uint8_t>(wish.limit_percent.value_or(0)));
    return Kind::kWish;
  }
  Kind operator()(const ShareFound& share) const {
    writer.fixed(share.template_hash).u64(share.nonce.high).u32(share.nonce.low);
    return Kind::kShare;
  }
  Kind operator()(const LendingReport& report) const {
    writer.u8(static_cast<std::uint8_t>(report.state)).u8(static_cast<std::uint8_t>(report.reason));
    writer.u32(report.host.processors).u32(report.host.cores).boolean(report.host.is_isolated);
    writer.u32(report.cap_percent).u32(report.threads);
    for (const double share : {report.may_lend, report.lent, report.others, report.stolen})
      writer.u32(millionths(share));
    writer.u64(whole_number(report.hash_rate)).u64(report.hashes).sized16(sendable(report.why));
    return Kind::kReport;
  }
};

Result<void> read_hello(Reader& reader) {
  if (reader.raw(kTag.size()) != kTag) reader.refuse("is no hello of a node or a miner");
  const std::uint16_t version = reader.u16();
  if (reader.ok() && version != kProtocolVersion)
    return fail(ErrorCode::kInvalid,
                "the other side speaks version " + std::to_string(version) +
                    " of the miner's protocol, this program version " +
                    std::to_string(kProtocolVersion) +
                    "; run the same eventchaind as node and as miner, and restart both");
  return {};
}

Result<WorkOrder> read_order(Reader& reader) {
  WorkOrder order;
  const auto header = chain::decode_header(reader.sized16(kPayloadMax));
  if (!header) return tl::unexpected(header.error());
  order.header = *header;
  order.template_hash = chain::template_hash(order.header);
  order.slot.value = reader.u16();
  order.target = reader.u256();
  return order;
}

OperatorWish read_wish(Reader& reader) {
  OperatorWish wish;
  wish.pauses = reader.boolean();
  const std::uint8_t limit = reader.u8();
  if (limit > 100) reader.refuse("a limit of more than 100 percent");
  if (limit > 0) wish.limit_percent = limit;
  return wish;
}

LendingReport read_report(Reader& reader) {
  LendingReport report;
  // Only what a miner can say of itself: whether it is there is the node's to know.
  report.state = read_enum<LendingReport::State>(reader, kStatesOfMiner);
  report.reason = read_enum<LendingReason>(reader, kLendingReasons);
  report.host.processors = reader.u32();
  report.host.cores = reader.u32();
  report.host.is_isolated = reader.boolean();
  report.cap_percent = reader.u32();
  report.threads = reader.u32();
  for (double* share : {&report.may_lend, &report.lent, &report.others, &report.stolen})
    *share = read_share(reader);
  report.hash_rate = static_cast<double>(reader.u64());
  report.hashes = reader.u64();
  report.why = read_text(reader);
  return report;
}

Result<Message> read_message(Reader& reader) {
  switch (static_cast<Kind>(reader.u8())) {
    case Kind::kNodeHello: {
      if (auto hello = read_hello(reader); !hello) return tl::unexpected(hello.error());
      NodeHello hello;
      hello.chain = reader.fixed<chain::ChainId>();
      hello.work_function = reader.u8();
      hello.feature_level = reader.u16();
      return hello;
    }
    case Kind::kMinerHello:
      if (auto hello = read_hello(reader); !hello) return tl::unexpected(hello.error());
      return MinerHello{};
    case Kind::kRefusal:
      return Refusal{read_text(reader)};
    case Kind::kOrder: {
      auto order = read_order(reader);
      if (!order) return tl::unexpected(order.error());
      return *order;
    }
    case Kind::kStop:
      return StopWork{};
    case Kind::kWish:
      return read_wish(reader);
    case Kind::kShare: {
      ShareFound share;
      share.template_hash = reader.fixed<chain::TemplateHash>();
      share.nonce.high = reader.u64();
      share.nonce.low = reader.u32();
      return share;
    }
    case Kind::kReport:
      return read_report(reader);
  }
  reader.refuse("an unknown kind of message");
  return StopWork{};
}

}  // namespace

chain::Bytes encode_frame(const Message& message) {
  Writer body;
  const Kind kind = std::visit(Encoder{body}, message);
  const chain::Bytes fields = body.take();
  EC_ASSERT(fields.size() < kPayloadMax, "a message to a miner is small");
  Writer frame(kLengthOctets + 1 + fields.size());
  frame.u32(static_cast<std::uint32_t>(1 + fields.size()));
  frame.u8(static_cast<std::uint8_t>(kind)).raw(fields);
  return frame.take();
}

Result<Message> decode(chain::ByteView payload) {
  Reader reader(payload);
  auto message = read_message(reader);
  if (!message) return message;
  if (const auto whole = reader.finish("a message between node and miner"); !whole)
    return tl::unexpected(whole.error());
  return message;
}

void FrameReader::feed(chain::ByteView bytes) {
  bytes_.erase(0, at_);
  at_ = 0;
  bytes_.append(bytes);
}

Result<std::optional<chain::Bytes>> FrameReader::next() {
  const chain::ByteView rest = chain::ByteView(bytes_).substr(at_);
  if (rest.size() < kLengthOctets) return std::optional<chain::Bytes>();
  const auto length = chain::load_little_endian<std::uint32_t>(rest.data());
  if (length == 0 || length > kPayloadMax)
    return fail(ErrorCode::kTooLarge, "a frame of " + std::to_string(length) +
                                          " octets between node and miner; there are 1 to " +
                                          std::to_string(kPayloadMax));
  if (rest.size() - kLengthOctets < length) return std::optional<chain::Bytes>();
  at_ += kLengthOctets + length;
  return std::optional<chain::Bytes>(rest.substr(kLengthOctets, length));
}

}  // namespace eventchain::mining::process
