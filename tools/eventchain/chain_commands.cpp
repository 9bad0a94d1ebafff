#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include <fmt/format.h>

#include "mining/work_functions.h"
#include "node/genesis_json.h"
#include "store/sqlite/light_scan.h"
#include "tools/eventchain/cluster_client.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/progress.h"
#include "tools/eventchain/session.h"
#include "tools/eventchain/table.h"
#include "tools/eventchain/verify.h"

namespace eventchain::tools {

namespace json = boost::json;

namespace {

json::value fetch(const Session& session, const std::string& target) {
  ClusterClient client(session);
  return fetch_json(client, target);
}

using Row = std::vector<std::string>;

Row header_row(const json::value& header) {
  return {text_of(header, "height"),       text_of(header, "id").substr(0, 16),
          text_of(header, "log_size"),     text_of(header, "sealed_at"),
          text_of(header, "share_target"), text_of(header, "work")};
}
const Row kHeaderHeading = {"HEIGHT", "BLOCK", "EVENTS", "SEALED AT", "TARGET", "WORK"};

void show_tips(const Session& session) {
  const json::value tips = fetch(session, "/v1/tips");
  if (session.as_json) return fmt::print("{}", pretty(tips));
  Row heading = kHeaderHeading;
  heading.insert(heading.begin(), "TIP");
  std::vector<Row> rows;
  const auto add = [&rows](const std::string& kind, const json::value& header) {
    rows.push_back(header_row(header));
    rows.back().insert(rows.back().begin(), kind);
  };
  if (const json::value* canonical = find(tips, "canonical")) add("canonical", *canonical);
  const json::value* stale = find(tips, "stale");
  if (stale != nullptr && stale->is_array())
    for (const json::value& header : stale->get_array())
      add("stale: " + text_of(header, "reason"), header);
  fmt::print("{}", table(heading, rows));
  if (const json::value* canonical = find(tips, "canonical"))
    fmt::print("total work: {} hashes\n", text_of(*canonical, "total_work"));
}

struct Range {
  std::uint64_t from = 0;
  unsigned limit = 20;
};

void show_headers(const Session& session, const Range& range) {
  const json::value answer =
      fetch(session, fmt::format("/v1/headers?from={}&limit={}", range.from, range.limit));
  if (session.as_json) return fmt::print("{}", pretty(answer));
  std::vector<Row> rows;
  const json::value* headers = find(answer, "headers");
  if (headers != nullptr && headers->is_array())
    for (const json::value& header : headers->get_array()) rows.push_back(header_row(header));
  fmt::print("{}", table(kHeaderHeading, rows));
}

struct Verification {
  std::string data, genesis;
  std::vector<std::string> known_blocks;
  unsigned threads = std::max(1U, std::thread::hardware_concurrency());
};

void print_bodies(const VerifyReport& report, double seconds) {
  const double rate = static_cast<double>(report.events) / std::max(seconds, 1e-9);
  fmt::print("events    {} ({} rejected)\nlog root  {}\nwork      {} hashes\n", report.events,
             report.rejected, to_hex(report.log_root), report.work.to_decimal());
  fmt::print("speed     {:.0f} events/s, {:.2f} s\n", rate, seconds);
}

void print_headers(const VerifyReport& report, double seconds) {
  fmt::print("kept      headers, members and {} sound signatures on the tip; no events\n",
             report.signatures);
  fmt::print("events    {} by the headers, not seen\nlog root  {} by the headers, not seen\n",
             report.events, to_hex(report.log_root));
  fmt::print("work      {} hashes\nspeed     {:.0f} headers/s, {:.2f} s\n",
             report.work.to_decimal(), static_cast<double>(report.blocks) / std::max(seconds, 1e-9),
             seconds);
}

void print(const Session& session, const VerifyReport& report, double seconds) {
  if (session.as_json) {
    json::array findings;
    for (const Finding& finding : report.findings.kept())
      findings.push_back(
          json::object{{"thing", finding.thing}, {"place", finding.place}, {"text", finding.text}});
    fmt::print("{}", pretty(json::object{{"chain", to_hex(report.chain)},
                                         {"headers_only", report.headers_only},
                                         {"blocks", report.blocks},
                                         {"events", report.events},
                                         {"rejected", report.rejected},
                                         {"versions_judged", report.versions_judged},
                                         {"height", report.height.value},
                                         {"tip", to_hex(report.tip)},
                                         {"log_root", to_hex(report.log_root)},
                                         {"total_work", report.work.to_decimal()},
                                         {"seconds", seconds},
                                         {"findings_total", report.findings.total()},
                                         {"findings", std::move(findings)}}));
    return;
  }
  for (const Finding& finding : report.findings.kept())
    fmt::print("BAD {} {}: {}\n", finding.thing, finding.place, finding.text);
  if (report.findings.total() > report.findings.kept().size())
    fmt::print("... and {} more\n", report.findings.total() - report.findings.kept().size());
  if (!report.versions_judged)
    fmt::print("stream versions could not be judged from the first damaged event on\n");
  fmt::print("chain     {}\nblocks    {} (tip {} at height {})\n", to_hex(report.chain),
             report.blocks, to_hex(report.tip), report.height.value);
  report.headers_only ? print_headers(report, seconds) : print_bodies(report, seconds);
  fmt::print("{}\n", report.findings.total() == 0
                         ? "verified: everything is as it was committed"
                         : fmt::format("NOT verified: {} things are not as they were committed",
                                       report.findings.total()));
}

void verify(Session& session, const Verification& chosen) {
  VerifyOptions options;
  options.database = database_in(chosen.data);
  options.genesis = value_or_stop(node::load_genesis(chosen.genesis));
  options.threads = chosen.threads;
  for (const std::string& text : chosen.known_blocks) {
    const auto octets = chain::from_hex(text);
    const auto id = octets ? chain::BlockId::from(*octets) : std::nullopt;
    if (!id) throw CommandFailed{Exit::kUsage, "'" + text + "' is no block id (64 hex digits)"};
    options.known_blocks.push_back(*id);
  }
  // Shares of RandomX take 30 ms each; a seal's are computed side by side.
  const mining::Work work =
      value_or_stop(mining::set_up_work(options.genesis, {.randomx = mining::RandomXMode::kLight}));
  options.digest = work.digest.get();
  Progress progress("verifying", store::is_light_database(options.database) ? "headers" : "events",
                    0);
  options.progress = [&progress](std::uint64_t done, std::uint64_t total) {
    progress.set_total(total);
    progress.update(done);
  };
  const auto started = std::chrono::steady_clock::now();
  const VerifyReport report = value_or_stop(verify_chain(options));
  progress.finish();
  print(session, report,
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
  if (report.findings.total() > 0) session.exit = Exit::kTampered;
}

}  // namespace

void add_chain_commands(CLI::App& app, Session& session) {
  CLI::App* chain = app.add_subcommand("chain", "the blocks");
  chain->require_subcommand(1);
  chain->add_subcommand("tips", "the newest block, and those that lost their height")
      ->callback([&session] { show_tips(session); });

  const auto range = std::make_shared<Range>();
  CLI::App* headers = chain->add_subcommand("headers", "block headers in a row");
  headers->add_option("--from", range->from, "first height")->capture_default_str();
  headers->add_option("--limit", range->limit, "how many")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  headers->callback([range, &session] { show_headers(session, *range); });

  const auto chosen = std::make_shared<Verification>();
  CLI::App* check = chain->add_subcommand(
      "verify", "verify a node's whole database offline; exit code 3 if anything is not as it was");
  check->add_option("--data", chosen->data, "data directory of a stopped node, or a copy of one")
      ->required();
  check->add_option("--genesis", chosen->genesis, "the genesis file: what the chain is judged by")
      ->required();
  check->add_option("--contains", chosen->known_blocks,
                    "a block id noted elsewhere that must be in the chain; repeatable");
  check->add_option("--threads", chosen->threads, "for hashing the bodies")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  check->callback([chosen, &session] { verify(session, *chosen); });
  add_work_proof_commands(*chain, session);
  add_cost_command(*chain, session);
  add_block_receipt_command(*chain, session);
  add_consistency_command(*chain, session);
}

}  // namespace eventchain::tools
