#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>

#include <fmt/format.h>

#include "tools/eventchain/cluster_client.h"
#include "tools/eventchain/cost_report.h"
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

double real_of(const json::value& object, const char* member) {
  const json::value* found = find(object, member);
  return found == nullptr || !found->is_number() ? 0 : found->to_number<double>();
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

// "1.20 MH/s (1.05 to 1.36)" of an object with such a rate.
std::string bounded_rate(const json::value& of) {
  const json::value* rate = find(of, "rate");
  if (rate == nullptr) return "-";
  return fmt::format("{} ({} to {})", rate_text(real_of(*rate, "per_second")),
                     rate_text(real_of(*rate, "low")), rate_text(real_of(*rate, "high")));
}

std::vector<std::string> member_row(const json::value& member) {
  const json::value* last = find(member, "last_share");
  const std::string age =
      last == nullptr ? "-" : duration_text(std::round(real_of(*last, "age_ms") / 1000));
  return {text_of(member, "name"),
          text_of(member, "node").substr(0, 8),
          text_of(member, "slot"),
          text_of(member, "role"),
          text_of(member, "shares"),
          bounded_rate(member),
          percent_of(member, "part"),
          last == nullptr ? "none" : text_of(*last, "height"),
          age};
}

void print_next(const json::value& report) {
  const json::value* next = find(report, "next");
  if (next == nullptr) return;
  const bool in_work = text_of(*next, "in_work") == "true";
  fmt::print("block {}   {} of {} shares{}", text_of(*next, "height"),
             text_of(*next, "shares_found"), text_of(*next, "shares_needed"),
             in_work ? "" : " (not in work)");
  if (find(*next, "expected_seconds") != nullptr)
    fmt::print(", {} more on the average ({} to {})",
               duration_text(real_of(*next, "expected_seconds")),
               duration_text(real_of(*next, "expected_seconds_low")),
               duration_text(real_of(*next, "expected_seconds_high")));
  fmt::print("; the target is {}\n", duration_text(real_of(report, "interval_ms") / 1000));
  fmt::print("difficulty {} hashes a share\n", text_of(*next, "hashes_per_share"));
  if (const std::string steps = text_of(*next, "easing_steps"); steps != "0" && !steps.empty())
    fmt::print("easing     {} steps, 16 times easier each: the block took too long\n", steps);
}

void print_seen(const json::value& report) {
  const json::value* seen = find(report, "seen");
  if (seen == nullptr || find(*seen, "stale_part") == nullptr) return;
  fmt::print(
      "stale      {} of the shares that the node asked has seen; {} of all went into blocks\n",
      percent_of(*seen, "stale_part"), percent_of(*seen, "useful_part"));
}

void print_cluster(const json::value& report) {
  std::vector<std::vector<std::string>> rows;
  if (const json::value* members = find(report, "members");
      members != nullptr && members->is_array())
    for (const json::value& member : members->get_array()) rows.push_back(member_row(member));
  fmt::print("{}", table({"MEMBER", "NODE", "SLOT", "ROLE", "SHARES", "RATE (95 %)", "PART",
                          "LAST AT", "AGE"},
                         rows));
  const json::value* window = find(report, "window");
  if (window == nullptr) return;
  fmt::print("\ntotal      {}, by {} shares in blocks {} to {}\n", bounded_rate(*window),
             text_of(*window, "shares"), text_of(*window, "from"), text_of(*window, "to"));
  if (const json::value* former = find(report, "former");
      former != nullptr && text_of(*former, "shares") != "0")
    fmt::print("former     {} of the work is of nodes that have left\n",
               percent_of(*former, "part"));
  if (const std::string eased = text_of(*window, "eased_blocks"); eased != "0")
    fmt::print("eased      {} of these blocks\n", eased);
  print_next(report);
  print_seen(report);
}

// Any node tells the same, so the first that answers is asked.
void show_cluster_mining(const Session& session, unsigned blocks) {
  ClusterClient client(session);
  const json::value report =
      fetch_json(client, fmt::format("/v1/mining/cluster?blocks={}", blocks));
  if (session.as_json) return fmt::print("{}", pretty(report));
  print_cluster(report);
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
  struct Chosen {
    bool of_cluster = false;
    unsigned blocks = 100;
  };
  const auto chosen = std::make_shared<Chosen>();
  CLI::App* status =
      mining->add_subcommand("status", "what the nodes at the endpoints lend, and why not more");
  CLI::Option* of_cluster = status->add_flag(
      "--cluster", chosen->of_cluster,
      "who mines how much, by the shares in the newest blocks, and the next block");
  status->add_option("--blocks", chosen->blocks, "how many of the newest blocks count")
      ->check(CLI::Range(1, 1000))
      ->needs(of_cluster)
      ->capture_default_str();
  status->callback([chosen, &session] {
    chosen->of_cluster ? show_cluster_mining(session, chosen->blocks) : show_status(session);
  });
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
