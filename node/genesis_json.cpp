#include "node/genesis_json.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>
#include <utility>

#include "chain/hash.h"
#include "chain/keys.h"
#include "node/api/json_object.h"

namespace eventchain::node {

namespace {

namespace json = boost::json;
using chain::ErrorCode;
using chain::fail;
using chain::Result;

chain::CompactTarget read_target(api::JsonObject& members, const char* name) {
  const auto bytes = chain::from_hex(members.text(name));
  chain::CompactTarget result;
  if (bytes && bytes->size() == 4) {
    for (char octet : *bytes) result.bits = (result.bits << 8) | static_cast<std::uint8_t>(octet);
    if (chain::expand(result)) return result;
  }
  members.refuse(
      fmt::format("{} must be a canonical compact target of 8 lower-case hex digits", name));
  return {};
}

Result<std::vector<chain::Member>> parse_voters(const json::value& list) {
  const json::array* array = list.if_array();
  if (array == nullptr)
    return fail(ErrorCode::kMalformed, "genesis: voters must be a list of objects");
  std::vector<chain::Member> voters;
  for (std::size_t i = 0; i < array->size(); ++i) {
    api::JsonObject members((*array)[i], fmt::format("genesis: voter {}", i + 1));
    chain::Member voter;
    voter.node = members.hex<chain::NodeId>("node");
    voter.signing_key = members.hex<chain::PublicKey>("signing_key");
    voter.slot = chain::Slot{static_cast<std::uint16_t>(i)};
    voter.name = members.text("name");
    voter.site = members.text("site");
    voter.store = members.hex<chain::StoreId>("store");
    voter.peers_address = members.text("peers_address");
    voter.api_address = members.text("api_address");
    auto done = members.finish();
    if (!done) return tl::unexpected(done.error());
    if (const auto checked = chain::check_public_key(voter.signing_key); !checked)
      return fail(checked.error().code, fmt::format("genesis: voter {}: signing_key: {}", i + 1,
                                                    checked.error().message));
    voters.push_back(std::move(voter));
  }
  return voters;
}

std::string target_text(chain::CompactTarget target) {
  return fmt::format("{:08x}", target.bits);
}

}  // namespace

Result<chain::Genesis> parse_genesis(std::string_view text) {
  const auto root = api::parse_json(text);
  if (!root) return fail(ErrorCode::kMalformed, "genesis: " + root.error().message);
  api::JsonObject members(*root, "genesis: top level");
  chain::Genesis genesis;
  const auto format = members.integer<std::uint32_t>("format");
  if (format != 1) members.refuse("format must be 1; this version knows no other");
  genesis.name = members.text("name");
  genesis.trust_domain = members.text("trust_domain");
  genesis.created.value = members.integer<std::int64_t>("created_ms");
  const std::string work = members.text("work_function");
  if (const auto function = chain::parse_work_function(work)) {
    genesis.work_function = *function;
  } else {
    members.refuse("work_function must be sha256, randomx-v1 or none");
  }
  genesis.share_count = members.integer<std::uint16_t>("share_count");
  genesis.interval_ms = members.integer<std::uint32_t>("interval_ms");
  genesis.heartbeat_ms = members.integer<std::uint32_t>("heartbeat_ms");
  genesis.first_target = read_target(members, "first_target");
  genesis.easiest_target = read_target(members, "easiest_target");
  genesis.event_bytes_max = members.integer<std::uint32_t>("event_bytes_max");
  genesis.block_events_max = members.integer<std::uint32_t>("block_events_max");
  genesis.block_bytes_max = members.integer<std::uint32_t>("block_bytes_max");
  const json::value* voters = members.member("voters");
  auto done = members.finish();
  if (!done) return tl::unexpected(done.error());
  auto parsed = parse_voters(*voters);
  if (!parsed) return tl::unexpected(parsed.error());
  genesis.voters = std::move(*parsed);
  done = chain::check_genesis(genesis);
  if (!done) return tl::unexpected(done.error());
  return genesis;
}

std::string format_genesis(const chain::Genesis& genesis) {
  const auto quoted = [](std::string_view text) {
    return json::serialize(json::string_view(text.data(), text.size()));
  };
  std::string voters;
  for (const auto& voter : genesis.voters) {
    voters += fmt::format(
        "{}\n    {{\"name\": {}, \"site\": {}, \"node\": \"{}\", \"store\": \"{}\",\n"
        "     \"signing_key\": \"{}\",\n"
        "     \"peers_address\": {}, \"api_address\": {}}}",
        voters.empty() ? "" : ",", quoted(voter.name), quoted(voter.site), to_hex(voter.node),
        to_hex(voter.store), to_hex(voter.signing_key), quoted(voter.peers_address),
        quoted(voter.api_address));
  }
  return fmt::format(
      "{{\n"
      "  \"format\": 1,\n"
      "  \"name\": {},\n"
      "  \"trust_domain\": {},\n"
      "  \"created_ms\": {},\n"
      "  \"work_function\": \"{}\",\n"
      "  \"share_count\": {},\n"
      "  \"interval_ms\": {},\n"
      "  \"heartbeat_ms\": {},\n"
      "  \"first_target\": \"{}\",\n"
      "  \"easiest_target\": \"{}\",\n"
      "  \"event_bytes_max\": {},\n"
      "  \"block_events_max\": {},\n"
      "  \"block_bytes_max\": {},\n"
      "  \"voters\": [{}\n  ]\n"
      "}}\n",
      quoted(genesis.name), quoted(genesis.trust_domain), genesis.created.value,
      chain::to_string(genesis.work_function), genesis.share_count, genesis.interval_ms,
      genesis.heartbeat_ms, target_text(genesis.first_target), target_text(genesis.easiest_target),
      genesis.event_bytes_max, genesis.block_events_max, genesis.block_bytes_max, voters);
}

Result<chain::Genesis> load_genesis(const std::filesystem::path& file) {
  static constexpr std::uintmax_t kFileBytesMax = 1 << 20;
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error || size > kFileBytesMax)
    return fail(ErrorCode::kNotFound,
                fmt::format("genesis: {} cannot be read: {}", file.string(),
                            error ? error.message() : "it is larger than 1 MiB"));
  std::ifstream stream(file);
  std::stringstream text;
  text << stream.rdbuf();
  if (!stream)
    return fail(ErrorCode::kIo, fmt::format("genesis: {} cannot be read", file.string()));
  auto genesis = parse_genesis(text.str());
  if (!genesis)
    return fail(genesis.error().code,
                fmt::format("{} (in {})", genesis.error().message, file.string()));
  return genesis;
}

}  // namespace eventchain::node
