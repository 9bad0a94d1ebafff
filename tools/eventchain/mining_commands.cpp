#include <CLI/CLI.hpp>
#include <memory>

#include <fmt/format.h>

#include "tools/eventchain/cluster_client.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/session.h"
#include "tools/eventchain/table.h"

// What nodes lend of their hosts, and an operator's word on it. A word concerns one node; it is
// said to the first endpoint's, or to every endpoint's.
namespace eventchain::tools {

namespace json = boost::json;

namespace {

struct Word {
  std::string target;  // below /v1/mining/
  json::value body = json::object();
  bool is_for_all = false;
};

std::vector<std::string> endpoints_of(const Session& session) {
  if (session.endpoints.empty())
    throw CommandFailed{Exit::kUsage, "no endpoint; give --endpoint or set EVENTCHAIN_ENDPOINT"};
  return session.endpoints;
}

ClusterClient client_of(const Session& session, const std::string& endpoint) {
  Session alone = session;
  alone.endpoints = {endpoint};
  return ClusterClient(alone);
}

// A share as the node has it, 0..1.
std::string percent_of(const json::value& report, const char* member) {
  const json::value* share = find(report, member);
  if (share == nullptr || !share->is_number()) return "-";
  return fmt::format("{:.1f} %", share->to_number<double>() * 100);
}

std::string rate_of(const json::value& report) {
  const json::value* rate = find(report, "hash_rate");
  if (rate == nullptr || !rate->is_number()) return "-";
  return fmt::format("{:.2f} MH/s", rate->to_number<double>() / 1e6);
}

void print_reports(const Session& session, const json::array& reports) {
  if (session.as_json) return fmt::print("{}", pretty(reports));
  std::vector<std::vector<std::string>> rows;
  for (const json::value& one : reports) {
    const json::value* report = find(one, "mining");
    if (report == nullptr) continue;
    rows.push_back({text_of(one, "endpoint"), text_of(*report, "state"),
                    percent_of(*report, "lent"), percent_of(*report, "others"), rate_of(*report),
                    text_of(*report, "why")});
  }
  fmt::print("{}", table({"ENDPOINT", "STATE", "LENDS", "OTHERS", "RATE", "WHY"}, rows));
}

// Every node that answers; the others are named, and exit code 5 says that there are some.
void show_status(Session& session) {
  json::array reports;
  for (const std::string& endpoint : endpoints_of(session)) {
    try {
      ClusterClient client = client_of(session, endpoint);
      json::value report = fetch_json(client, "/v1/mining");
      reports.push_back(json::object{{"endpoint", endpoint}, {"mining", std::move(report)}});
    } catch (const CommandFailed& failure) {
      fmt::print(stderr, "{}: {}\n", endpoint, failure.message);
      session.exit = Exit::kUnreachable;
    }
  }
  print_reports(session, reports);
}

void say(Session& session, const Word& word) {
  std::vector<std::string> endpoints = endpoints_of(session);
  if (!word.is_for_all) endpoints.resize(1);
  json::array reports;
  for (const std::string& endpoint : endpoints) {
    ClusterClient client = client_of(session, endpoint);
    json::value report = give_order(client, "POST", "/v1/mining/" + word.target, &word.body);
    reports.push_back(json::object{{"endpoint", endpoint}, {"mining", std::move(report)}});
  }
  print_reports(session, reports);
}

CLI::App* add_word(CLI::App& mining, Session& session, const char* verb, const char* what,
                   const std::shared_ptr<Word>& word) {
  CLI::App* command = mining.add_subcommand(verb, what);
  word->target = verb;
  command->add_flag("--all", word->is_for_all, "say it to the nodes at all endpoints");
  command->callback([&session, word] { say(session, *word); });
  return command;
}

}  // namespace

void add_mining_commands(CLI::App& app, Session& session) {
  CLI::App* mining = app.add_subcommand("mining", "what nodes lend of their hosts");
  mining->require_subcommand(1);
  mining->add_subcommand("status", "what the nodes at the endpoints lend, and why not more")
      ->callback([&session] { show_status(session); });
  add_word(*mining, session, "pause",
           "the node at the first endpoint lends nothing until it is resumed or restarts",
           std::make_shared<Word>());
  add_word(*mining, session, "resume", "take a pause back", std::make_shared<Word>());
  const auto limit = std::make_shared<Word>();
  add_word(*mining, session, "limit",
           "lend no more than this until the node restarts; its configured cap stays in force",
           limit)
      ->add_option_function<unsigned>(
          "percent",
          [limit](unsigned percent) {
            limit->body = json::object{{"percent", percent}};
          },
          "of the host's processors, 1 to 100; 100 takes a limit back")
      ->required()
      ->check(CLI::Range(1, 100));
}

}  // namespace eventchain::tools
