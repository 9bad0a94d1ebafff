#include <CLI/CLI.hpp>
#include <memory>

#include <fmt/format.h>

#include "chain/member_orders.h"
#include "node/genesis_json.h"
#include "tools/eventchain/cluster_client.h"
#include "tools/eventchain/files.h"
#include "tools/eventchain/join.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/pki.h"
#include "tools/eventchain/session.h"

namespace eventchain::tools {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr std::size_t kFileBytesMax = 64 * 1024;

struct Joining {
  std::string token, dir, data, peers_address, api_address;
  NodePlan plan;
};

json::array list_of(const json::value& members, const char* name) {
  const json::value* list = find(members, name);
  return list != nullptr && list->is_array() ? list->get_array() : json::array();
}

const json::value* find_member(const json::array& members, const std::string& node) {
  for (const json::value& member : members)
    if (text_of(member, "node") == node) return &member;
  return nullptr;
}

// The id that an earlier try in this directory drew; "" if there was none.
std::string kept_node(const fs::path& dir) {
  if (!fs::exists(dir / "member.json")) return {};
  const std::string text = value_or_stop(read_file(dir / "member.json", kFileBytesMax));
  return to_hex(value_or_stop(member_from_json(text)).node);
}

// Who is to join: what the token's invitation says, or the member that an earlier try became.
struct Invited {
  std::string name, site, role;
  bool is_member = false;
};
Invited find_invited(const Joining& joining, const json::value& members) {
  const json::array known = list_of(members, "members");
  const std::string kept = kept_node(joining.dir);
  if (const json::value* member = kept.empty() ? nullptr : find_member(known, kept))
    return {text_of(*member, "name"), text_of(*member, "site"), text_of(*member, "role"), true};
  const auto octets = chain::from_hex(joining.token);
  const auto token = octets ? chain::JoinToken::from(*octets) : std::nullopt;
  if (!token) throw CommandFailed{Exit::kUsage, "--token: must be 64 lower-case hex digits"};
  const std::string hash = to_hex(chain::token_hash(*token));
  for (const json::value& invited : list_of(members, "invitations"))
    if (text_of(invited, "token_hash") == hash)
      return {text_of(invited, "name"), text_of(invited, "site"), text_of(invited, "role"), false};
  throw CommandFailed{Exit::kError,
                      "the token is of no open invitation; it was used, revoked or mistyped"};
}

json::value join_order(const Joining& joining, const JoiningNode& node) {
  json::object order{{"token", joining.token},
                     {"node", to_hex(node.member.node)},
                     {"store", to_hex(node.member.store)},
                     {"signing_key", to_hex(node.member.signing_key)},
                     {"csr", node.request}};
  if (!joining.peers_address.empty()) order["peers_address"] = joining.peers_address;
  if (!joining.api_address.empty()) order["api_address"] = joining.api_address;
  return order;
}

// Joins, and returns the answer; null if it turns out to be a member although the answer was lost.
json::value become_member(ClusterClient& client, const Joining& joining, const JoiningNode& node) {
  const json::value order = join_order(joining, node);
  try {
    return give_order(client, "POST", "/v1/members", &order);
  } catch (const CommandFailed&) {
    client.turn();
    const json::value members = fetch_json(client, "/v1/members?consistency=linearizable");
    if (find_member(list_of(members, "members"), to_hex(node.member.node)) == nullptr) throw;
    return nullptr;
  }
}

// Certificate and authority, as far as they were sent or are known otherwise.
void take_answer(const Session& session, const fs::path& dir, const json::value& answer) {
  if (const std::string certificate = text_of(answer, "certificate"); !certificate.empty())
    value_or_stop(take_certificate(dir, certificate));
  else if (const std::string trouble = text_of(answer, "certificate_error"); !trouble.empty())
    fmt::print(stderr, "no certificate: {}\n", trouble);
  std::string authority = text_of(answer, "ca");
  if (authority.empty() && !session.tls.ca.empty() && !fs::exists(dir / "ca.cert.pem"))
    authority = value_or_stop(read_file(session.tls.ca, kFileBytesMax));
  if (!authority.empty())
    value_or_stop(replace_file(dir / "ca.cert.pem", authority, Secrecy::kPublic));
}

// Everybody who can be dialled; light members are no way to anybody.
void add_peers(NodePlan& plan, const json::value& members, const std::string& self) {
  for (const json::value& member : list_of(members, "members")) {
    const std::string address = text_of(member, "peers_address");
    if (!address.empty() && text_of(member, "node") != self && text_of(member, "role") != "light")
      plan.peers.push_back(text_of(member, "node") + "@" + address);
  }
}

std::vector<std::string> what_is_left(const fs::path& dir, bool has_peers) {
  std::vector<std::string> steps;
  const std::string home = dir.string();
  if (!fs::exists(dir / "cert.pem"))
    steps.push_back(
        fmt::format("where the authority is: eventchain pki sign AUTHORITY --csr {0}/csr.pem --out "
                    "{0}/cert.pem",
                    home));
  if (!fs::exists(dir / "ca.cert.pem"))
    steps.push_back(fmt::format("copy the authority's ca.cert.pem to {}/ca.cert.pem", home));
  if (!has_peers)
    steps.push_back(fmt::format(
        "no member has told its peers_address: add [[peers.nodes]] to {}/node.toml", home));
  steps.push_back(fmt::format("eventchaind --config {}/node.toml", home));
  return steps;
}

void join(const Session& session, Joining joining) {
  const fs::path dir = joining.dir;
  ClusterClient client(session);
  const json::value members = fetch_json(client, "/v1/members?consistency=linearizable");
  const Invited invited = find_invited(joining, members);
  const std::string genesis = fetch_text(client, "/v1/genesis");
  if (to_hex(chain::chain_id(value_or_stop(node::parse_genesis(genesis)))) !=
      text_of(members, "chain"))
    throw CommandFailed{Exit::kTampered, "the endpoint's genesis is not that of its chain"};
  const JoiningNode node = value_or_stop(prepare_join(dir, genesis, invited.name, invited.site));
  const json::value answer =
      invited.is_member ? json::value(nullptr) : become_member(client, joining, node);
  take_answer(session, dir, answer);
  const std::string self = to_hex(node.member.node);
  add_peers(joining.plan, members, self);
  joining.plan.light = invited.role == "light";
  joining.plan.data = joining.data;
  value_or_stop(finish_join(dir, joining.plan));

  const std::vector<std::string> steps = what_is_left(dir, !joining.plan.peers.empty());
  if (session.as_json) {
    json::object shown{
        {"name", invited.name}, {"node", self}, {"chain", text_of(members, "chain")}};
    shown["role"] = invited.role;
    shown["has_certificate"] = fs::exists(dir / "cert.pem");
    shown["next"] = json::array(steps.begin(), steps.end());
    return fmt::print("{}", pretty(shown));
  }
  fmt::print("{} is a member of chain {}\nnext:\n", invited.name, text_of(members, "chain"));
  for (const std::string& step : steps) fmt::print("  {}\n", step);
}

}  // namespace

void add_join_command(CLI::App& cluster, Session& session) {
  const auto joining = std::make_shared<Joining>();
  CLI::App* command = cluster.add_subcommand(
      "join", "make this machine a node: keys, files and membership; can be run again");
  command->add_option("--token", joining->token, "what cluster add printed")->required();
  command->add_option("--dir", joining->dir, "the node's directory")->required();
  command->add_option("--data", joining->data, "where it keeps its database (DIR/data)");
  command->add_option("--peers-address", joining->peers_address,
                      "HOST:PORT where the other nodes reach it; if absent it only dials");
  command->add_option("--api-address", joining->api_address,
                      "HOST:PORT where clients reach it, for the member list");
  add_node_options(*command, joining->plan);
  command->callback([&session, joining] { join(session, *joining); });
}

}  // namespace eventchain::tools
