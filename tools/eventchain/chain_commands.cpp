#include <CLI/CLI.hpp>
#include <memory>

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

  add_verify_command(*chain, session);
  add_work_proof_commands(*chain, session);
  add_cost_command(*chain, session);
  add_block_receipt_command(*chain, session);
  add_consistency_command(*chain, session);
}

}  // namespace eventchain::tools
