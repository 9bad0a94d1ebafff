#include "store/sqlite/columns.h"

#include <algorithm>

#include "chain/encoding.h"

namespace eventchain::store {

using chain::Bytes;
using chain::ByteView;
using chain::ErrorCode;
using chain::Result;

namespace {

constexpr std::size_t kServerSize = 8 + 1;
constexpr std::size_t kHistoryNodeSize = 32 + 32 + 3 * 8;
constexpr std::size_t kServersMax = 0xffff;

tl::unexpected<chain::Error> malformed(const char* what) {
  return chain::fail(ErrorCode::kCorrupt,
                     std::string(what) +
                         " cannot be decoded; remove this node's database and let it fetch the "
                         "chain from the others");
}

}  // namespace

Bytes pack_arrivals(const std::vector<std::uint64_t>& arrivals) {
  Bytes bytes;
  bytes.reserve(arrivals.size() + 8);
  std::uint64_t before = 0;
  for (const std::uint64_t arrival : arrivals) {
    const auto difference = static_cast<std::int64_t>(arrival - before);
    auto zigzag = (static_cast<std::uint64_t>(difference) << 1) ^
                  static_cast<std::uint64_t>(difference >> 63);
    for (; zigzag >= 0x80; zigzag >>= 7) bytes.push_back(static_cast<char>(zigzag | 0x80));
    bytes.push_back(static_cast<char>(zigzag));
    before = arrival;
  }
  return bytes;
}

Result<std::vector<std::uint64_t>> unpack_arrivals(ByteView bytes) {
  std::vector<std::uint64_t> arrivals;
  arrivals.reserve(count_arrivals(bytes));
  std::uint64_t before = 0;
  std::uint64_t zigzag = 0;
  unsigned shift = 0;
  for (const char octet : bytes) {
    if (shift > 63) return malformed("a chunk of a stream");
    zigzag |= static_cast<std::uint64_t>(octet & 0x7f) << shift;
    shift += 7;
    if ((octet & 0x80) != 0) continue;
    before += (zigzag >> 1) ^ (~(zigzag & 1) + 1);
    arrivals.push_back(before);
    zigzag = 0;
    shift = 0;
  }
  if (shift != 0) return malformed("a chunk of a stream");
  return arrivals;
}

std::uint64_t count_arrivals(ByteView bytes) {
  return static_cast<std::uint64_t>(
      std::count_if(bytes.begin(), bytes.end(), [](char octet) { return (octet & 0x80) == 0; }));
}

Bytes pack_hashes(const std::vector<chain::Hash>& hashes) {
  chain::Writer writer(hashes.size() * chain::Hash::kSize);
  for (const chain::Hash& hash : hashes) writer.fixed(hash);
  return writer.take();
}

Result<std::vector<chain::Hash>> unpack_hashes(ByteView bytes) {
  if (bytes.size() % chain::Hash::kSize != 0) return malformed("a list of hashes");
  std::vector<chain::Hash> hashes;
  chain::Reader reader(bytes);
  while (reader.remaining() > 0) hashes.push_back(reader.fixed<chain::Hash>());
  return hashes;
}

Bytes pack_history(const std::vector<chain::HistoryNode>& nodes) {
  Bytes bytes;
  bytes.reserve(nodes.size() * kHistoryNodeSize);
  for (const chain::HistoryNode& node : nodes) bytes += chain::encode_history_node(node);
  return bytes;
}

Result<std::vector<chain::HistoryNode>> unpack_history(ByteView bytes) {
  if (bytes.size() % kHistoryNodeSize != 0) return malformed("a list of history nodes");
  std::vector<chain::HistoryNode> nodes;
  for (; !bytes.empty(); bytes.remove_prefix(kHistoryNodeSize)) {
    Result<chain::HistoryNode> node = chain::decode_history_node(bytes.substr(0, kHistoryNodeSize));
    if (!node) return tl::unexpected<chain::Error>(node.error());
    nodes.push_back(*node);
  }
  return nodes;
}

Bytes pack_configuration(const consensus::Configuration& configuration) {
  EC_ASSERT(configuration.size() <= kServersMax, "a configuration has a few servers");
  chain::Writer writer(2 + configuration.size() * kServerSize);
  writer.u16(static_cast<std::uint16_t>(configuration.size()));
  for (const consensus::Server& server : configuration)
    writer.u64(server.id.value).u8(static_cast<std::uint8_t>(server.suffrage));
  return writer.take();
}

Result<consensus::Configuration> unpack_configuration(ByteView bytes) {
  chain::Reader reader(bytes);
  consensus::Configuration configuration;
  const std::size_t servers = reader.count16(kServersMax, kServerSize);
  for (std::size_t i = 0; i < servers; ++i) {
    const consensus::ServerId id{reader.u64()};
    const std::uint8_t suffrage = reader.u8();
    if (suffrage > static_cast<std::uint8_t>(consensus::Suffrage::kSpare))
      reader.refuse("unknown suffrage");
    configuration.push_back({id, static_cast<consensus::Suffrage>(suffrage)});
  }
  if (auto end = reader.finish("configuration"); !end)
    return tl::unexpected<chain::Error>(end.error());
  return configuration;
}

}  // namespace eventchain::store
