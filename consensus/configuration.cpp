#include "consensus/configuration.h"

#include <algorithm>

namespace eventchain::consensus {

namespace {

constexpr char kFormat = 1;

void put_u64(Bytes& out, std::uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(value >> shift));
}

std::optional<std::uint64_t> take_u64(chain::ByteView& in) {
  if (in.size() < 8) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i)
    value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(in[i])) << (8 * i);
  in.remove_prefix(8);
  return value;
}

// The library's numbers, not ours.
char role_number(Suffrage suffrage) {
  switch (suffrage) {
    case Suffrage::kStandby:
      return 0;
    case Suffrage::kVoter:
      return 1;
    case Suffrage::kSpare:
      return 2;
  }
  return 2;
}

std::optional<Suffrage> suffrage_of(char number) {
  switch (number) {
    case 0:
      return Suffrage::kStandby;
    case 1:
      return Suffrage::kVoter;
    case 2:
      return Suffrage::kSpare;
    default:
      return std::nullopt;
  }
}

std::optional<Server> take_server(chain::ByteView& in) {
  const auto id = take_u64(in);
  if (!id) return std::nullopt;
  const std::string address = std::to_string(*id);
  if (in.size() < address.size() + 2 || in.substr(0, address.size()) != address ||
      in[address.size()] != '\0')
    return std::nullopt;
  const auto suffrage = suffrage_of(in[address.size() + 1]);
  if (!suffrage) return std::nullopt;
  in.remove_prefix(address.size() + 2);
  return Server{ServerId{*id}, *suffrage};
}

}  // namespace

bool is_well_formed(const Configuration& configuration) {
  if (configuration.size() > kServersMax || voter_count(configuration) == 0) return false;
  for (std::size_t i = 0; i < configuration.size(); ++i) {
    if (configuration[i].id == ServerId{0}) return false;
    if (i > 0 && configuration[i - 1].id >= configuration[i].id) return false;
  }
  return true;
}

Bytes encode_configuration(const Configuration& configuration) {
  EC_ASSERT(is_well_formed(configuration), "only a well-formed configuration is encoded");
  Bytes out(1, kFormat);
  put_u64(out, configuration.size());
  for (const auto& server : configuration) {
    put_u64(out, server.id.value);
    out += std::to_string(server.id.value);
    out.push_back('\0');
    out.push_back(role_number(server.suffrage));
  }
  out.resize((out.size() + 7) / 8 * 8, '\0');
  return out;
}

chain::Result<Configuration> decode_configuration(chain::ByteView bytes) {
  const auto malformed = [] {
    return chain::fail(chain::ErrorCode::kMalformed,
                       "these bytes are no Raft configuration; the sender runs other software");
  };
  chain::ByteView in = bytes;
  if (in.empty() || in[0] != kFormat) return malformed();
  in.remove_prefix(1);
  const auto count = take_u64(in);
  if (!count || *count > kServersMax) return malformed();
  Configuration configuration;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto server = take_server(in);
    if (!server) return malformed();
    configuration.push_back(*server);
  }
  // One spelling: what remains can only be the padding that the encoder writes.
  if (!is_well_formed(configuration) || encode_configuration(configuration) != bytes)
    return malformed();
  return configuration;
}

std::size_t voter_count(const Configuration& configuration) {
  return static_cast<std::size_t>(
      std::count_if(configuration.begin(), configuration.end(),
                    [](const Server& server) { return server.suffrage == Suffrage::kVoter; }));
}

const Server* find_server(const Configuration& configuration, ServerId id) {
  for (const auto& server : configuration)
    if (server.id == id) return &server;
  return nullptr;
}

std::size_t difference(const Configuration& a, const Configuration& b) {
  std::size_t count = 0;
  for (const auto& server : a) {
    const Server* other = find_server(b, server.id);
    if (other == nullptr || !(*other == server)) ++count;
  }
  for (const auto& server : b)
    if (find_server(a, server.id) == nullptr) ++count;
  return count;
}

}  // namespace eventchain::consensus
