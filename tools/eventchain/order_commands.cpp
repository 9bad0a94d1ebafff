#include <CLI/CLI.hpp>
#include <memory>

#include <fmt/format.h>

#include "chain/member_orders.h"
#include "tools/eventchain/certificate.h"
#include "tools/eventchain/cluster_client.h"
#include "tools/eventchain/drain.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/session.h"

// The verbs by which operators change the cluster. Members are looked up first, with all that was
// committed, so that people can use names.
namespace eventchain::tools {

namespace json = boost::json;

namespace {

constexpr std::chrono::seconds kDrainTime{30};

json::value fetch_members(ClusterClient& client) {
  return fetch_json(client, "/v1/members?consistency=linearizable");
}

// The element of the list `list` of `members` whose `key` is `value`; nullptr if there is none.
const json::value* find_in(const json::value& members, const char* list, const char* key,
                           const std::string& value) {
  const json::value* all = find(members, list);
  if (all == nullptr || !all->is_array()) return nullptr;
  for (const json::value& one : all->get_array())
    if (text_of(one, key) == value) return &one;
  return nullptr;
}

json::value member_named(ClusterClient& client, const std::string& name) {
  const json::value members = fetch_members(client);
  const json::value* member = find_in(members, "members", "name", name);
  if (member == nullptr) member = find_in(members, "members", "node", name);
  if (member != nullptr) return *member;
  throw CommandFailed{Exit::kError,
                      fmt::format("no member is called {}; see: eventchain cluster members", name)};
}

void show_done(const Session& session, const json::value& answer, const std::string& what) {
  if (session.as_json)
    fmt::print("{}", pretty(answer));
  else
    fmt::print("{} (block {})\n", what, text_of(answer, "height"));
}

struct Addition {
  std::string name, site, role = "standby";
  unsigned valid_seconds = 3600;
};

void add_node(const Session& session, const Addition& addition) {
  const std::string octets = value_or_stop(random_octets(chain::JoinToken::kSize));
  const chain::JoinToken token = chain::JoinToken::from(octets).value();
  ClusterClient client(session);
  // Finds the endpoint that answers: the order itself is sent once.
  fetch_members(client);
  const json::value wanted = json::object{{"name", addition.name},
                                          {"role", addition.role},
                                          {"site", addition.site},
                                          {"token_hash", to_hex(chain::token_hash(token))},
                                          {"valid_seconds", addition.valid_seconds}};
  json::value answer = give_order(client, "POST", "/v1/members/invitations", &wanted);
  std::string command = fmt::format(
      "eventchain cluster join --token {} --dir {} --peers-listen HOST:PORT "
      "--api-listen HOST:PORT",
      to_hex(token), addition.name);
  for (const std::string& endpoint : session.endpoints) command += " --endpoint " + endpoint;
  if (session.as_json) {
    json::object shown = answer.is_object() ? answer.get_object() : json::object();
    shown["token"] = to_hex(token);
    shown["join"] = command;
    return fmt::print("{}", pretty(shown));
  }
  fmt::print("{} may join as {} {} within {} s, with the token\n  {}\non its machine:\n  {}\n",
             addition.name, addition.role == "observer" ? "an" : "a", addition.role,
             addition.valid_seconds, to_hex(token), command);
}

void revoke(const Session& session, const std::string& name) {
  ClusterClient client(session);
  const json::value members = fetch_members(client);
  const json::value* invited = find_in(members, "invitations", "name", name);
  if (invited == nullptr)
    throw CommandFailed{Exit::kError,
                        fmt::format("no open invitation is for {}; see: eventchain cluster "
                                    "members",
                                    name)};
  const std::string target = "/v1/members/invitations/" + text_of(*invited, "token_hash");
  show_done(session, give_order(client, "DELETE", target, nullptr),
            fmt::format("the invitation of {} is void", name));
}

// The role one step up or down; "" where there is none.
std::string step_from(const std::string& role, bool is_up) {
  if (is_up) return role == "observer" ? "standby" : role == "standby" ? "voter" : "";
  return role == "voter" ? "standby" : role == "standby" ? "observer" : "";
}

void set_role(const Session& session, const std::string& name, std::string role, bool is_up) {
  ClusterClient client(session);
  const json::value member = member_named(client, name);
  if (role.empty()) role = step_from(text_of(member, "role"), is_up);
  if (role.empty())
    throw CommandFailed{Exit::kError,
                        fmt::format("{} is {}; there is no role {} that", text_of(member, "name"),
                                    text_of(member, "role"), is_up ? "above" : "below")};
  const json::value wanted = json::object{{"role", role}};
  const std::string target = fmt::format("/v1/members/{}/role", text_of(member, "node"));
  show_done(session, give_order(client, "POST", target, &wanted),
            fmt::format("{} is {} now", text_of(member, "name"), role));
}

// A node that runs first gets rid of its clients, its lead and its events. Where it cannot be told
// to, it may be lost, and is removed all the same. The endpoint that drains; "" if none does.
std::string drain_first(const Session& session, const json::value& member) {
  const std::string name = text_of(member, "name");
  const auto endpoint = find_endpoint(session, member);
  if (!endpoint) {
    fmt::print(stderr, "{} is not drained first: no endpoint is known at which it answers\n", name);
    return {};
  }
  try {
    set_drain(session, *endpoint, true);
  } catch (const CommandFailed& failure) {
    fmt::print(stderr, "{} is not drained first: {}\n", name, failure.message);
    return {};
  }
  if (!wait_drained(session, *endpoint, kDrainTime))
    fmt::print(stderr, "{} has not drained within {} s; it is removed all the same\n", name,
               kDrainTime.count());
  return *endpoint;
}

void remove(const Session& session, const std::string& name) {
  ClusterClient client(session);
  const json::value member = member_named(client, name);
  const std::string drained = drain_first(session, member);
  const std::string target = "/v1/members/" + text_of(member, "node");
  try {
    show_done(session, give_order(client, "DELETE", target, nullptr),
              fmt::format("{} is no member any more", text_of(member, "name")));
  } catch (const CommandFailed& failure) {
    // What is known not to come leaves a member that works.
    if (!drained.empty() && failure.exit != Exit::kUnreachable) set_drain(session, drained, false);
    throw;
  }
}

void transfer(const Session& session, const std::string& name) {
  ClusterClient client(session);
  const json::value member = member_named(client, name);
  const json::value wanted = json::object{{"to", text_of(member, "node")}};
  const json::value answer = give_order(client, "POST", "/v1/cluster/leader", &wanted);
  if (session.as_json) return fmt::print("{}", pretty(answer));
  fmt::print("{} leads\n", text_of(member, "name"));
}

void set_policy(const Session& session, unsigned voters, double grace_seconds) {
  ClusterClient client(session);
  fetch_members(client);
  const auto grace_ms = static_cast<std::int64_t>(grace_seconds * 1000);
  const json::value wanted = json::object{{"wanted", voters}, {"grace_ms", grace_ms}};
  show_done(session, give_order(client, "PUT", "/v1/cluster/policy", &wanted),
            voters == 0 ? std::string("voters change by orders alone")
                        : fmt::format("the leader keeps {} voters", voters));
}

// A verb that names one member and nothing else.
void add_verb(CLI::App& cluster, const Session& session, const char* verb, const char* what,
              void (*run)(const Session&, const std::string&)) {
  const auto name = std::make_shared<std::string>();
  CLI::App* command = cluster.add_subcommand(verb, what);
  command->add_option("NODE", *name, "its name or id")->required();
  command->callback([&session, name, run] { run(session, *name); });
}

void add_role_verb(CLI::App& cluster, const Session& session, bool is_up) {
  struct Chosen {
    std::string name, role;
  };
  const auto chosen = std::make_shared<Chosen>();
  CLI::App* command = cluster.add_subcommand(
      is_up ? "promote" : "demote",
      is_up ? "one step up: observer, standby, voter" : "one step down: voter, standby, observer");
  command->add_option("NODE", chosen->name, "its name or id")->required();
  command->add_option("--to", chosen->role, "another role than the next")
      ->check(CLI::IsMember({"voter", "standby", "observer"}))
      ->type_name("ROLE");
  command->callback(
      [&session, chosen, is_up] { set_role(session, chosen->name, chosen->role, is_up); });
}

void add_addition(CLI::App& cluster, const Session& session) {
  const auto addition = std::make_shared<Addition>();
  CLI::App* add = cluster.add_subcommand("add", "invite a node; prints the token to join with");
  add->add_option("NAME", addition->name, "1 to 32 of a-z, 0-9 and '-'")->required();
  add->add_option("--role", addition->role, "what it is to be")
      ->check(CLI::IsMember({"standby", "observer", "light"}))
      ->type_name("ROLE")
      ->capture_default_str();
  add->add_option("--site", addition->site, "its failure domain");
  add->add_option("--valid", addition->valid_seconds, "seconds in which the token can be used")
      ->check(CLI::Range(60, 3600))
      ->capture_default_str();
  add->callback([&session, addition] { add_node(session, *addition); });
}

void add_policy(CLI::App& cluster, const Session& session) {
  struct Chosen {
    unsigned voters = 0;
    double grace_seconds = 0;
  };
  const auto chosen = std::make_shared<Chosen>();
  CLI::App* policy =
      cluster.add_subcommand("policy", "what the leader does by itself about voters that are lost");
  policy->add_option("--voters", chosen->voters, "3, 5 or 7 are kept; 0: by orders alone")
      ->check(CLI::IsMember({0U, 3U, 5U, 7U}))
      ->required();
  policy
      ->add_option("--grace", chosen->grace_seconds,
                   "seconds: a voter that is away for longer is replaced")
      ->check(CLI::Range(0.0, 4'294'967.0))
      ->required();
  policy->callback(
      [&session, chosen] { set_policy(session, chosen->voters, chosen->grace_seconds); });
}

}  // namespace

void add_order_commands(CLI::App& cluster, Session& session) {
  add_addition(cluster, session);
  add_verb(cluster, session, "revoke", "void an invitation that was not used", revoke);
  add_role_verb(cluster, session, true);
  add_role_verb(cluster, session, false);
  add_verb(cluster, session, "remove", "end a node's membership", remove);
  add_verb(cluster, session, "transfer", "hand leadership to a voter", transfer);
  add_policy(cluster, session);
}

}  // namespace eventchain::tools
