#include "tools/eventchain/node_setup.h"

#include <fmt/format.h>

#include <algorithm>

#include "chain/target.h"
#include "node/config.h"
#include "store/sqlite/store_id_file.h"
#include "tools/eventchain/files.h"
#include "tools/eventchain/pki.h"

namespace eventchain::tools {

namespace fs = std::filesystem;
using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

Result<chain::Member> issued_member(const fs::path& home) {
  Result<chain::Member> member = load_member(home);
  if (!member && !fs::exists(home / "member.json"))
    return fail(member.error().code,
                member.error().message +
                    "; issue the node first: eventchain pki issue DIR --node " +
                    home.filename().string());
  return member;
}

// TOML's basic strings escape like JSON's; file names and addresses need no more than this.
std::string toml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

// As seen from the configuration's own directory, so that the whole tree can be moved.
std::string path_from(const fs::path& file, const fs::path& target) {
  const fs::path base = fs::absolute(file).lexically_normal().parent_path();
  const fs::path absolute = fs::absolute(target).lexically_normal();
  return toml_text(absolute.lexically_relative(base).string());
}

Result<std::string> peer_table(const std::string& peer) {
  const std::size_t at = peer.rfind('@');
  if (at == std::string::npos || at == 0)
    return fail(
        ErrorCode::kInvalid,
        fmt::format("'{}' is no peer; give NODE-ID@HOST:PORT or DIRECTORY@HOST:PORT", peer));
  std::string id = peer.substr(0, at);
  if (fs::is_directory(id)) {
    const Result<chain::Member> member = issued_member(id);
    if (!member) return tl::unexpected(member.error());
    id = chain::to_hex(member->node);
  }
  return fmt::format("\n[[peers.nodes]]\nid = {}\naddress = {}\n", toml_text(id),
                     toml_text(peer.substr(at + 1)));
}

struct Difficulty {
  std::uint16_t share_count;
  std::uint64_t first_hashes;
  std::uint64_t easiest_hashes;
};

// What is right for a few hosts; the rule finds the rest in a dozen of blocks. A processor computes
// a million times as many hashes of SHA-256 as of RandomX.
Difficulty usual_difficulty(chain::WorkFunction function) {
  switch (function) {
    case chain::WorkFunction::kSha256:
      return {16, std::uint64_t{1} << 20, std::uint64_t{1} << 10};
    case chain::WorkFunction::kRandomXV1:
      return {16, 32, 2};
    case chain::WorkFunction::kNone:
      break;
  }
  return {1, 1, 1};
}

// Puts each NAME=HOST:PORT into the record of the voter of that name.
Result<void> tell_addresses(const std::vector<std::string>& given, const char* option,
                            std::string chain::Member::*place, std::vector<chain::Member>& voters) {
  for (const std::string& one : given) {
    const std::size_t equals = one.find('=');
    const std::string name = one.substr(0, equals);
    const auto voter = std::find_if(voters.begin(), voters.end(),
                                    [&name](const auto& member) { return member.name == name; });
    if (equals == std::string::npos || voter == voters.end())
      return fail(
          ErrorCode::kInvalid,
          fmt::format("{} '{}': give NAME=HOST:PORT with the name of a --voter", option, one));
    (*voter).*place = one.substr(equals + 1);
  }
  return {};
}

}  // namespace

Result<chain::Genesis> plan_genesis(const GenesisPlan& plan) {
  const Result<Authority> authority = load_authority(plan.authority);
  if (!authority) return tl::unexpected(authority.error());
  const auto function = chain::parse_work_function(plan.work);
  if (!function)
    return fail(ErrorCode::kInvalid,
                fmt::format("'{}' is no work function; use sha256, randomx-v1 or none", plan.work));
  const Difficulty usual = usual_difficulty(*function);
  const std::uint64_t first_hashes = plan.first_hashes.value_or(usual.first_hashes);
  const std::uint64_t easiest_hashes = plan.easiest_hashes.value_or(usual.easiest_hashes);
  if (first_hashes == 0 || easiest_hashes == 0)
    return fail(ErrorCode::kInvalid, "the expected number of hashes must be at least 1");
  chain::Genesis genesis;
  genesis.work_function = *function;
  genesis.name = authority->chain;
  genesis.trust_domain = authority->trust_domain;
  genesis.created = plan.created;
  genesis.interval_ms = plan.interval_ms;
  genesis.heartbeat_ms = plan.heartbeat_ms;
  genesis.share_count = plan.share_count.value_or(usual.share_count);
  genesis.first_target = chain::compact(chain::target_for(chain::U256(first_hashes)));
  genesis.easiest_target = chain::compact(chain::target_for(chain::U256(easiest_hashes)));
  for (const std::string& name : plan.voters) {
    Result<chain::Member> member = issued_member(plan.authority / name);
    if (!member) return tl::unexpected(member.error());
    member->slot = chain::Slot{static_cast<std::uint16_t>(genesis.voters.size())};
    genesis.voters.push_back(std::move(*member));
  }
  if (auto told = tell_addresses(plan.peers_addresses, "--peers-address",
                                 &chain::Member::peers_address, genesis.voters);
      !told)
    return tl::unexpected(told.error());
  if (auto told = tell_addresses(plan.api_addresses, "--api-address", &chain::Member::api_address,
                                 genesis.voters);
      !told)
    return tl::unexpected(told.error());
  if (auto checked = chain::check_genesis(genesis); !checked)
    return tl::unexpected(checked.error());
  return genesis;
}

Result<std::string> plan_node(const NodePlan& plan) {
  const Result<chain::Member> member = issued_member(plan.home);
  if (!member) return tl::unexpected(member.error());
  const auto path = [&plan](const fs::path& target) { return path_from(plan.file, target); };
  const std::string tls = fmt::format("certificate = {}\nkey = {}\n", path(plan.home / "cert.pem"),
                                      path(plan.home / "key.pem"));
  const std::string ca = fmt::format("ca = {}\n", path(plan.home / "ca.cert.pem"));
  std::string text =
      fmt::format("# Node \"{}\". Every key is explained in deploy/.\n\n", member->name);
  text +=
      fmt::format("[node]\nid = {}\nstore = {}\ndata = {}\ngenesis = {}\nsigning_key = {}\n\n",
                  toml_text(chain::to_hex(member->node)), toml_text(chain::to_hex(member->store)),
                  path(plan.data), path(plan.genesis), path(plan.home / "signing.key.pem"));
  if (plan.light) text.insert(text.size() - 1, "light = true\n");
  text += fmt::format("[api]\nlisten = {}\ntls = {}\n", toml_text(plan.api_listen), plan.api_tls);
  if (plan.api_tls) text += tls + (plan.api_open ? "" : ca);
  std::vector<std::string> operators;
  for (const std::string& name : plan.operators) operators.push_back(toml_text(name));
  if (!operators.empty()) text += fmt::format("operators = [{}]\n", fmt::join(operators, ", "));
  text += "\n[mining]\n";
  const std::pair<const char*, std::optional<unsigned>> mining[] = {
      {"threads", plan.mining_threads},
      {"duty_percent", plan.mining_duty_percent},
      {"cap_percent", plan.mining_cap_percent},
  };
  for (const auto& [key, value] : mining)
    if (value) text += fmt::format("{} = {}\n", key, *value);
  text += '\n';
  text += fmt::format("[peers]\nlisten = {}\n{}{}", toml_text(plan.peers_listen), tls, ca);
  for (const std::string& peer : plan.peers) {
    const Result<std::string> table = peer_table(peer);
    if (!table) return tl::unexpected(table.error());
    text += *table;
  }
  const fs::path base = fs::absolute(plan.file).parent_path();
  const auto checked = node::parse_config(text, plan.file.filename().string(), base, {}, {});
  if (!checked) return tl::unexpected(checked.error());
  return text;
}

Result<void> prepare_data(const NodePlan& plan) {
  const Result<chain::Member> member = issued_member(plan.home);
  if (!member) return tl::unexpected(member.error());
  // A second permit would let a member whose disk was lost come back with an empty one.
  if (fs::exists(plan.file))
    return fail(ErrorCode::kInvalid,
                fmt::format("{} is there already: this member was set up before and may have run; "
                            "if its disk was lost, remove it and let it join anew as a new member",
                            plan.file.string()));
  return write_permit(plan.data, member->store);
}

Result<void> write_permit(const fs::path& data, const chain::StoreId& store) {
  if (auto written = store::write_store_id(data, store); !written) return written;
  return give_to_owner_of(data, data / "store-id");
}

}  // namespace eventchain::tools
