#include <CLI/CLI.hpp>
#include <set>

#include <fmt/format.h>

#include "tools/eventchain/cluster_client.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/session.h"
#include "tools/eventchain/table.h"

namespace eventchain::tools {

namespace json = boost::json;
using chain::Result;

namespace {

constexpr std::chrono::milliseconds kStatusTimeout{3'000};

json::value fetch(const Session& session, const std::string& target) {
  ClusterClient client(session);
  return fetch_json(client, target);
}

// One node's own words, or why there are none.
struct Heard {
  std::string endpoint;
  json::value status;  // null when there are none
  std::string trouble;
};

Heard ask_one(const Session& session, const std::string& endpoint) {
  Session alone = session;
  alone.endpoints = {endpoint};
  ClusterClient client(alone);
  HttpRequest request;
  request.target = "/v1/cluster";
  const Result<HttpResponse> answer = client.ask(request, kStatusTimeout);
  if (!answer) return {endpoint, nullptr, answer.error().message};
  if (!answer->ok()) return {endpoint, nullptr, problem_text(*answer)};
  const Result<json::value> status = parse_json(answer->body, "the answer of " + endpoint);
  if (!status) return {endpoint, nullptr, status.error().message};
  return {endpoint, *status, ""};
}

std::string shown(std::string text) {
  return text.empty() ? "-" : std::move(text);
}

// PROGRAM in the table is what each node's program can do.
void print_level(const std::string& level) {
  fmt::print("feature level {}: what all voters' programs can do\n", level);
}

std::string in_work_text(const json::value& status) {
  const json::value* work = find(status, "in_work");
  if (work == nullptr) return "-";
  return fmt::format("{}: {}/{}", text_of(*work, "height"), text_of(*work, "shares_found"),
                     text_of(*work, "shares_needed"));
}

// The role, and what keeps the node from its work.
std::string role_text(const json::value& status) {
  std::string text = text_of(status, "role");
  if (text_of(status, "ready") != "true") text += " (not ready)";
  if (const json::value* drain = find(status, "drain"))
    text += " (" + text_of(*drain, "state") + ")";
  return text;
}

std::vector<std::string> row_of(const Heard& heard) {
  if (heard.status.is_null())
    return {"?", "unreachable", "-", "-", "-", "-", "-", "-", heard.endpoint};
  const json::value& status = heard.status;
  const json::value* pool = find(status, "pool");
  return {text_of(status, "name"),
          role_text(status),
          text_of(status, "term"),
          text_of(status, "height"),
          text_of(status, "log_size"),
          pool == nullptr ? "-" : text_of(*pool, "events"),
          in_work_text(status),
          shown(text_of(status, "program_level")),
          heard.endpoint};
}

void show_cluster(Session& session) {
  std::vector<Heard> all;
  for (const std::string& endpoint : session.endpoints) all.push_back(ask_one(session, endpoint));
  bool is_ready = false;
  std::set<std::string> heard_names;
  std::vector<std::vector<std::string>> rows;
  for (const Heard& heard : all) {
    rows.push_back(row_of(heard));
    if (!heard.trouble.empty()) fmt::print(stderr, "{}\n", heard.trouble);
    is_ready = is_ready || text_of(heard.status, "ready") == "true";
    heard_names.insert(text_of(heard.status, "name"));
  }
  // What the others say about nodes that were not asked.
  for (const Heard& heard : all) {
    const json::value* peers = find(heard.status, "peers");
    if (peers == nullptr || !peers->is_array()) continue;
    for (const json::value& peer : peers->get_array())
      if (heard_names.insert(text_of(peer, "name")).second)
        rows.push_back(
            {text_of(peer, "name"), text_of(peer, "linked") == "true" ? "linked" : "not linked",
             "-", text_of(peer, "height"), "-", "-", "-", shown(text_of(peer, "program_level")),
             "(as " + text_of(heard.status, "name") + " says)"});
  }
  if (session.as_json) {
    json::array out;
    for (const Heard& heard : all)
      out.push_back(json::object{
          {"endpoint", heard.endpoint}, {"status", heard.status}, {"trouble", heard.trouble}});
    fmt::print("{}", pretty(out));
  } else {
    fmt::print("{}", table({"NODE", "ROLE", "TERM", "HEIGHT", "EVENTS", "PENDING", "SHARES",
                            "PROGRAM", "ENDPOINT"},
                           rows));
    for (const Heard& heard : all) {
      const std::string level = text_of(heard.status, "feature_level");
      if (level.empty()) continue;
      print_level(level);
      break;
    }
  }
  if (!is_ready) session.exit = Exit::kUnreachable;
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
  cluster->add_subcommand("status", "how every node stands; exit code 5 without a leader")
      ->callback([&session] { show_cluster(session); });
  cluster->add_subcommand("members", "who belongs to it")->callback([&session] {
    show_members(session);
  });
  add_order_commands(*cluster, session);
  add_join_command(*cluster, session);
  CLI::App* node = app.add_subcommand("node", "one node");
  node->require_subcommand(1);
  node->add_subcommand("status", "everything the first endpoint says of itself")
      ->callback([&session] {
        const json::value status = fetch(session, "/v1/cluster");
        fmt::print("{}", session.as_json ? pretty(status) : listing(status));
      });
  add_drain_command(*node, session);
}

}  // namespace eventchain::tools
