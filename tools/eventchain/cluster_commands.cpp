#include <CLI/CLI.hpp>

#include <fmt/format.h>

#include "tools/eventchain/cluster_client.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/session.h"
#include "tools/eventchain/table.h"

namespace eventchain::tools {

namespace json = boost::json;
namespace {

json::value fetch(const Session& session, const std::string& target) {
  ClusterClient client(session);
  return fetch_json(client, target);
}

std::string shown(std::string text) {
  return text.empty() ? "-" : std::move(text);
}

// PROGRAM in the table is what each node's program can do.
void print_level(const std::string& level) {
  fmt::print("feature level {}: what all voters' programs can do\n", level);
}

void show_members(const Session& session) {
  const json::value members = fetch(session, "/v1/members");
  if (session.as_json) return fmt::print("{}", pretty(members));
  std::vector<std::vector<std::string>> rows;
  const json::value* list = find(members, "members");
  if (list != nullptr && list->is_array())
    for (const json::value& member : list->get_array())
      rows.push_back({text_of(member, "name"), text_of(member, "role"), text_of(member, "slot"),
                      shown(text_of(member, "site")), text_of(member, "node"),
                      shown(text_of(member, "peers_address")),
                      shown(text_of(member, "api_address"))});
  const json::value* open = find(members, "invitations");
  if (open != nullptr && open->is_array())
    for (const json::value& invited : open->get_array())
      rows.push_back({text_of(invited, "name"), text_of(invited, "role"), "-",
                      shown(text_of(invited, "site")), "invited until " + text_of(invited, "until"),
                      "-", "-"});
  fmt::print("{}", table({"NODE", "ROLE", "SLOT", "SITE", "ID", "PEERS", "API"}, rows));
  print_level(text_of(members, "feature_level"));
}

}  // namespace

void add_cluster_commands(CLI::App& app, Session& session) {
  CLI::App* cluster = app.add_subcommand("cluster", "the nodes together");
  cluster->require_subcommand(1);
  add_status_command(*cluster, session);
  add_top_command(*cluster, session);
  cluster->add_subcommand("members", "who belongs to it")->callback([&session] {
    show_members(session);
  });
  add_order_commands(*cluster, session);
  add_join_command(*cluster, session);
  CLI::App* node = app.add_subcommand("node", "one node");
  node->require_subcommand(1);
  node->add_subcommand("status", "everything the first endpoint says of itself")
      ->callback([&session] {
        const json::value status = fetch(session, "/v1/node");
        fmt::print("{}", session.as_json ? pretty(status) : listing(status));
      });
  add_drain_command(*node, session);
}

}  // namespace eventchain::tools
