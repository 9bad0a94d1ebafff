#include "tools/eventchain/cluster_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <utility>

#include "tools/eventchain/cost_report.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/table.h"

namespace eventchain::tools {

namespace json = boost::json;

namespace {

const json::value& at(const json::value& value, std::string_view member) {
  static const json::value kNothing;
  const json::value* found = find(value, member);
  return found == nullptr ? kNothing : *found;
}

std::string shown(std::string text) {
  return text.empty() ? "-" : std::move(text);
}

double real_of(const json::value& value, std::string_view member) {
  const json::value& found = at(value, member);
  return found.is_number() ? found.to_number<double>() : 0;
}

std::string state_of(const NodeView& node) {
  if (!node.answers()) return node.linked_by.empty() ? "no answer" : "no answer, linked";
  if (const json::value* drain = find(node.report, "drain")) return text_of(*drain, "state");
  return text_of(node.report, "ready") == "true" ? "ok" : "not ready";
}

std::string role_of(const NodeView& node) {
  return text_of(node.report, "role") == "leader" ? "leader" : shown(node.role);
}

std::string height_of(const NodeView& node) {
  if (node.answers()) return text_of(node.report, "height");
  return node.last_height ? fmt::format("{}?", *node.last_height) : "-";
}

std::string lag_of(const ClusterView& view, const NodeView& node) {
  if (!node.answers()) return "-";
  const std::uint64_t height = number_of(node.report, "height");
  return std::to_string(view.height - std::min(view.height, height));
}

std::string event_lag_of(const ClusterView& view, const NodeView& node) {
  if (!node.answers()) return "-";
  const std::uint64_t size = number_of(node.report, "log_size");
  return std::to_string(view.log_size - std::min(view.log_size, size));
}

std::string peers_of(const NodeView& node) {
  const json::value& peers = at(node.report, "peers");
  if (!peers.is_array()) return "-";
  std::size_t linked = 0;
  for (const json::value& peer : peers.get_array())
    if (text_of(peer, "linked") == "true") ++linked;
  return fmt::format("{}/{}", linked, peers.get_array().size());
}

std::string rate_of(const NodeView& node) {
  const json::value& mining = at(node.report, "mining");
  if (!at(mining, "hash_rate").is_number()) return "-";
  return rate_text(real_of(mining, "hash_rate"));
}

std::string lent_of(const NodeView& node) {
  const json::value& mining = at(node.report, "mining");
  if (!at(mining, "lent").is_number()) return "-";
  return fmt::format("{:.0f} %", real_of(mining, "lent") * 100);
}

// What it does, and the one word why.
std::string mining_of(const NodeView& node) {
  const json::value& mining = at(node.report, "mining");
  const std::string state = text_of(mining, "state");
  if (state != "lends" && state != "stopped") return shown(state);
  return state + ": " + text_of(mining, "reason");
}

std::string disk_of(const NodeView& node) {
  const json::value& disk = at(node.report, "disk");
  if (disk.is_null()) return "-";
  return bytes_text(number_of(disk, "free_bytes"));
}

// Days that the certificate has which runs out first.
std::string certificate_of(const NodeView& node) {
  const json::value& all = at(node.report, "certificates");
  if (!all.is_array() || all.get_array().empty()) return "-";
  double least = real_of(all.get_array().front(), "seconds_left");
  for (const json::value& one : all.get_array())
    least = std::min(least, real_of(one, "seconds_left"));
  if (least <= 0) return "expired";
  constexpr double kDay = 24 * 3600;
  return fmt::format("{:.0f} d", std::floor(least / kDay));
}

std::string clock_of(const NodeView& node) {
  if (!node.clock_ahead) return "-";
  return fmt::format("{:+.1f} s", static_cast<double>(node.clock_ahead->count()) / 1000);
}

std::string pending_of(const NodeView& node) {
  return shown(text_of(at(node.report, "pool"), "events"));
}

struct Column {
  const char* heading;
  int rank;  // the greatest goes first where there is no room; above kCompact: only in wide tables
  std::function<std::string(const ClusterView&, const NodeView&)> text;
};
constexpr int kCompact = 9;

template <class Text>
Column column(const char* heading, int rank, Text text) {
  return {heading, rank, [text](const ClusterView&, const NodeView& node) { return text(node); }};
}

std::function<std::string(const NodeView&)> said(const char* member) {
  return [member](const NodeView& node) { return shown(text_of(node.report, member)); };
}

const std::vector<Column>& columns() {
  static const std::vector<Column> kColumns = {
      column("NODE", 0, [](const NodeView& node) { return node.name.empty() ? "?" : node.name; }),
      column("ROLE", 0, role_of),
      column("STATE", 0, state_of),
      column("SITE", 8, [](const NodeView& node) { return shown(node.site); }),
      column("VERSION", 9, said("version")),
      column("TERM", 10, said("term")),
      column("HEIGHT", 1, height_of),
      {"LAG", 1, lag_of},
      {"EVENTS LAG", 10, event_lag_of},
      column("PENDING", 10, pending_of),
      column("PEERS", 2, peers_of),
      column("RATE", 5, rate_of),
      column("LENT", 6, lent_of),
      column("MINING", 4, mining_of),
      column("DISK FREE", 3, disk_of),
      column("CERT", 3, certificate_of),
      column("CLOCK", 3, clock_of),
      column("PROGRAM", 10, said("program_level")),
      column("ENDPOINT", 10, [](const NodeView& node) { return shown(node.endpoint); }),
      column("WHY (MINING)", 10,
             [](const NodeView& node) { return shown(text_of(at(node.report, "mining"), "why")); }),
  };
  return kColumns;
}

// Widths as they will be, two spaces between.
std::size_t width_of(const std::vector<Column>& chosen,
                     const std::vector<std::vector<std::string>>& cells) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    std::size_t widest = std::string_view(chosen[i].heading).size();
    for (const auto& row : cells) widest = std::max(widest, row[i].size());
    width += widest + (i == 0 ? 0 : 2);
  }
  return width;
}

json::value node_json(const ClusterView& view, const NodeView& node) {
  json::object out;
  if (!node.name.empty()) out["name"] = node.name;
  if (!node.node.empty()) out["node"] = node.node;
  if (!node.role.empty()) out["member_role"] = node.role;
  if (!node.site.empty()) out["site"] = node.site;
  if (!node.endpoint.empty()) out["endpoint"] = node.endpoint;
  out["answers"] = node.answers();
  out["state"] = state_of(node);
  if (!node.trouble.empty()) out["trouble"] = node.trouble;
  out["linked_by"] = json::value_from(node.linked_by);
  out["unlinked_by"] = json::value_from(node.unlinked_by);
  if (node.last_height) out["last_height"] = std::to_string(*node.last_height);
  if (node.answers()) {
    out["blocks_behind"] = lag_of(view, node);
    out["events_behind"] = event_lag_of(view, node);
  }
  if (node.clock_ahead) {
    out["clock_ahead_ms"] = node.clock_ahead->count();
    out["clock_uncertainty_ms"] = node.clock_uncertainty.count();
  }
  if (node.answers()) out["report"] = node.report;
  return out;
}

}  // namespace

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1023.5 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return value >= 99.5 || unit == 0 ? fmt::format("{:.0f} {}", value, kUnits[unit])
                                    : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string nodes_text(const ClusterView& view, const TableShape& shape) {
  std::vector<Column> chosen;
  for (const Column& one : columns())
    if (shape.is_wide || one.rank <= kCompact) chosen.push_back(one);
  std::vector<std::vector<std::string>> cells;
  for (const NodeView& node : view.nodes) {
    std::vector<std::string> row;
    for (const Column& one : chosen) row.push_back(one.text(view, node));
    cells.push_back(std::move(row));
  }
  while (!shape.is_wide && shape.width > 0 && width_of(chosen, cells) > shape.width) {
    const auto least = std::ranges::max_element(chosen, {}, &Column::rank);
    if (least->rank == 0) break;
    const auto place = least - chosen.begin();
    chosen.erase(least);
    for (auto& row : cells) row.erase(row.begin() + place);
  }
  std::vector<std::string> heading;
  for (const Column& one : chosen) heading.emplace_back(one.heading);
  return table(heading, cells);
}

std::string warnings_text(const ClusterView& view) {
  std::string out;
  for (const ClusterWarning& one : view.warnings) {
    const std::string whose = one.node.empty() ? "" : one.node + ": ";
    out += printable(fmt::format("{}: {}{}", one.severity, whose, one.text)) + "\n    " +
           printable(one.remedy) + "\n";
  }
  return out;
}

std::string cluster_line(const ClusterView& view) {
  const std::string leader =
      !view.leader.empty() ? fmt::format("{} leads in term {}", view.leader, view.term)
      : view.is_ready      ? std::string("who leads is not known to those that answer")
                           : std::string("no leader");
  const std::string voters =
      fmt::format("{} of {} voters {}, {} needed", view.voters_in_touch, view.voters,
                  view.leader.empty() ? "answer" : "in touch", view.majority());
  const std::string chain = fmt::format(
      "height {}, final {}; {} events, {} pending; {}; feature level {}", view.height,
      view.certified, view.log_size, view.pending, rate_text(view.hash_rate), view.feature_level);
  return printable(fmt::format("{}: {}; {}; {}",
                               view.chain.empty() ? "no node answers" : view.chain, leader, voters,
                               chain)) +
         "\n";
}

json::value cluster_json(const ClusterView& view) {
  json::object cluster = {{"ready", view.is_ready}};
  if (!view.chain.empty()) cluster["chain_name"] = view.chain;
  if (!view.leader.empty()) {
    cluster["leader"] = view.leader;
    cluster["term"] = view.term;
  }
  cluster["voters"] = view.voters;
  cluster["voters_in_touch"] = view.voters_in_touch;
  cluster["majority"] = view.majority();
  cluster["height"] = std::to_string(view.height);
  cluster["certified"] = std::to_string(view.certified);
  cluster["log_size"] = std::to_string(view.log_size);
  cluster["pending"] = std::to_string(view.pending);
  cluster["hash_rate"] = view.hash_rate;
  cluster["feature_level"] = view.feature_level;
  json::array nodes;
  for (const NodeView& node : view.nodes) nodes.push_back(node_json(view, node));
  json::array warnings;
  for (const ClusterWarning& one : view.warnings) {
    json::object warning = {{"severity", one.severity}, {"code", one.code}};
    if (!one.node.empty()) warning["node"] = one.node;
    warning["text"] = one.text;
    warning["remedy"] = one.remedy;
    warnings.push_back(std::move(warning));
  }
  return json::object{{"cluster", std::move(cluster)},
                      {"nodes", std::move(nodes)},
                      {"warnings", std::move(warnings)}};
}

}  // namespace eventchain::tools
