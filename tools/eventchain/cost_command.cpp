#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "mining/kernel_trial.h"
#include "tools/eventchain/cluster_client.h"
#include "tools/eventchain/cost_report.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/progress.h"
#include "tools/eventchain/session.h"
#include "tools/eventchain/verify.h"

// eventchain chain cost: what redoing the work since some height would cost, and whom.
namespace eventchain::tools {

namespace json = boost::json;

namespace {

struct Chosen {
  std::uint64_t since = 1;
  std::string data, genesis;
  std::optional<double> rate;
  double lent_percent = 50;
  std::vector<std::string> adversaries;
  bool measures = false;
  bool as_json = false;
  Prices prices;
};

ChainWork count_served_work(const Session& session, std::uint64_t since) {
  ClusterClient client(session);
  WorkCount count(value_or_stop(read_work_terms(fetch_json(client, "/v1/genesis"))), since);
  const json::value tips = fetch_json(client, "/v1/tips");
  const json::value* canonical = find(tips, "canonical");
  const std::uint64_t tip = canonical == nullptr ? 0 : number_of(*canonical, "height");
  std::uint64_t next = WorkCount::begin_with(since, tip);
  Progress progress("reading", "headers", tip < next ? 0 : tip - next + 1);
  const std::uint64_t first = next;
  while (next <= tip) {
    const std::uint64_t limit = std::min<std::uint64_t>(1000, tip - next + 1);
    const json::value page =
        fetch_json(client, fmt::format("/v1/headers?from={}&limit={}", next, limit));
    const json::value* headers = find(page, "headers");
    if (headers == nullptr || !headers->is_array() || headers->get_array().empty())
      throw CommandFailed{Exit::kError, fmt::format("there is no header at height {}", next)};
    for (const json::value& header : headers->get_array())
      count.add(value_or_stop(read_work_header(header)));
    next += headers->get_array().size();
    progress.update(next - first);
  }
  return value_or_stop(count.finish());
}

// Of one thread with the kernel that a node here would use; a fifth of a second.
double measured_core() {
  constexpr int kChunks = 40;
  const mining::kernels::Kernel& kernel = mining::fastest_kernel();
  mining::Contest contest;
  contest.add(std::string(kernel.name), mining::kernel_at_work(kernel));
  for (int i = 0; i < kChunks; ++i) contest.run_round();
  return contest.rates().front().per_second;
}

Adversary parse_adversary(const std::string& text) {
  const std::size_t at = text.rfind('=');
  Adversary made;
  const char* end = text.data() + text.size();
  if (at != std::string::npos && at > 0) {
    const auto [read, error] = std::from_chars(text.data() + at + 1, end, made.hashes_per_second);
    made.name = text.substr(0, at);
    made.rests_on = "as given (--adversary); nothing is known of its energy and price";
    // Written so that it refuses what is no number, too.
    if (error == std::errc() && read == end && made.hashes_per_second > 0 &&
        made.hashes_per_second < 1e60)
      return made;
  }
  throw CommandFailed{Exit::kUsage,
                      "'" + text + "' is no adversary; write NAME=HASHES, hashes a second"};
}

void show_cost(const Session& session, const Chosen& chosen) {
  if (chosen.data.empty() != chosen.genesis.empty())
    throw CommandFailed{Exit::kUsage, "--data and --genesis belong together"};
  CostQuestion question;
  for (const std::string& text : chosen.adversaries)
    question.others.push_back(parse_adversary(text));
  question.chain = chosen.data.empty()
                       ? count_served_work(session, chosen.since)
                       : value_or_stop(count_stored_work(database_in(chosen.data), chosen.genesis,
                                                         chosen.since));
  question.given_rate = chosen.rate;
  question.lent_part = chosen.lent_percent / 100;
  question.prices = chosen.prices;
  if (chosen.measures) {
    if (question.chain.terms.work_function != "sha256")
      throw CommandFailed{Exit::kUsage,
                          "--measure can measure sha256 alone; this chain's work is " +
                              question.chain.terms.work_function};
    question.measured_core = measured_core();
  }
  const RewriteCost cost = rewrite_cost(std::move(question));
  if (session.as_json || chosen.as_json)
    fmt::print("{}", pretty(cost_json(cost)));
  else
    fmt::print("{}", cost_text(cost));
}

}  // namespace

void add_cost_command(CLI::App& chain, Session& session) {
  const auto chosen = std::make_shared<Chosen>();
  CLI::App* cost = chain.add_subcommand(
      "cost",
      "what it would cost to redo the work since a height, for whom, and what that says not");
  cost->add_option("--since", chosen->since, "the first block that is redone")
      ->check(CLI::Range(std::uint64_t{1}, ~std::uint64_t{0}))
      ->required();
  cost->add_option("--data", chosen->data,
                   "data directory of a stopped node, or a copy of one, instead of an endpoint");
  cost->add_option("--genesis", chosen->genesis, "the genesis file; with --data");
  cost->add_option("--rate", chosen->rate,
                   "the cluster's hashes a second, instead of what its shares tell")
      ->check(CLI::Range(1e-9, 1e60))
      ->type_name("HASHES");
  cost->add_option("--lent", chosen->lent_percent, "of its hosts' processors, what it lends")
      ->check(CLI::Range(0.001, 100.0))
      ->type_name("PERCENT")
      ->capture_default_str();
  cost->add_option("--adversary", chosen->adversaries,
                   "one more with so many hashes a second; repeatable")
      ->type_name("NAME=HASHES");
  cost->add_flag("--measure", chosen->measures, "measure a core of this machine (sha256)");
  cost->add_option("--price-kwh", chosen->prices.kwh, "of a kWh")
      ->check(CLI::Range(0.0, 1e9))
      ->capture_default_str();
  cost->add_option("--price-gpu-hour", chosen->prices.gpu_hour, "of a rented GPU for an hour")
      ->check(CLI::Range(0.0, 1e9))
      ->capture_default_str();
  cost->add_flag("--json", chosen->as_json, "the same as --output json");
  cost->callback([chosen, &session] { show_cost(session, *chosen); });
}

}  // namespace eventchain::tools
