#include "consensus/decision.h"

namespace eventchain::consensus {

namespace {
constexpr std::size_t kChainPointSize = 1 + 8 + chain::BlockId::kSize;
constexpr char kChainPointVersion = 1;
}  // namespace

Judgement judge(const chain::SealedHeader& decided, chain::Height tip_height,
                const chain::BlockId& tip) {
  const chain::Height height = decided.header.height;
  if (height <= tip_height) return Judgement::kRepeated;
  if (height > tip_height.next()) return Judgement::kAhead;
  return decided.header.parent == tip ? Judgement::kExtends : Judgement::kStale;
}

Bytes encode_decision(const chain::SealedHeader& decided) {
  return chain::encode_sealed_header(decided);
}

chain::Result<chain::SealedHeader> decode_decision(const Entry& entry) {
  return chain::decode_sealed_header(entry.payload);
}

Bytes encode_chain_point(const ChainPoint& point) {
  Bytes bytes(1, kChainPointVersion);
  for (int i = 0; i < 8; ++i)
    bytes.push_back(static_cast<char>((point.height.value >> (8 * i)) & 0xff));
  bytes += point.id.view();
  return bytes;
}

chain::Result<ChainPoint> decode_chain_point(chain::ByteView bytes) {
  if (bytes.size() != kChainPointSize || bytes[0] != kChainPointVersion)
    return chain::fail(chain::ErrorCode::kMalformed, "Raft snapshot: not a chain point");
  ChainPoint point;
  for (int i = 7; i >= 0; --i)
    point.height.value = (point.height.value << 8) |
                         static_cast<std::uint8_t>(bytes[static_cast<std::size_t>(1 + i)]);
  point.id = *chain::BlockId::from(bytes.substr(9));
  return point;
}

}  // namespace eventchain::consensus
