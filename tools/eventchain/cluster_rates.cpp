#include "tools/eventchain/cluster_rates.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "tools/eventchain/cost_report.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/table.h"

namespace eventchain::tools {

namespace json = boost::json;
using std::chrono::milliseconds;

namespace {

constexpr const char* kCounters[] = {"events_received", "events_completed", "blocks_committed"};

const json::value& at(const json::value& value, std::string_view member) {
  static const json::value kNothing;
  const json::value* found = find(value, member);
  return found == nullptr ? kNothing : *found;
}

std::string percent(const json::value& share) {
  return share.is_number() ? fmt::format("{:.0f} %", share.to_number<double>() * 100) : "-";
}

std::string shares_of(const json::value& report) {
  const json::value& work = at(report, "in_work");
  if (work.is_null()) return "-";
  const std::uint64_t found = number_of(work, "shares_found");
  const std::uint64_t needed = number_of(work, "shares_needed");
  constexpr std::uint64_t kBar = 8;
  const std::uint64_t full = needed == 0 ? 0 : std::min(found, needed) * kBar / needed;
  return fmt::format("[{}{}] {}/{}", std::string(full, '#'), std::string(kBar - full, '.'), found,
                     needed);
}

}  // namespace

std::string ClusterRates::rate(const NodeView& node, const char* counter, milliseconds now) const {
  const auto before = before_.find(node.node);
  if (!node.answers() || before == before_.end() || now <= before->second.at) return "-";
  const std::uint64_t count = number_of(at(node.report, "counters"), counter);
  const auto was = before->second.counters.find(counter);
  if (was == before->second.counters.end() || count < was->second) return "-";
  const double seconds = static_cast<double>((now - before->second.at).count()) / 1000;
  return fmt::format("{:.1f}", static_cast<double>(count - was->second) / seconds);
}

std::string ClusterRates::table_of(const ClusterView& view, milliseconds now,
                                   const TableShape& shape) {
  std::vector<std::vector<std::string>> rows;
  for (const NodeView& node : view.nodes) {
    const json::value& mining = at(node.report, "mining");
    const std::uint64_t height = number_of(node.report, "height");
    const bool is_there = node.answers();
    const bool has_rate = at(mining, "hash_rate").is_number();
    const bool leads = text_of(node.report, "role") == "leader";
    rows.push_back({(leads ? "*" : " ") + (node.name.empty() ? node.endpoint : node.name),
                    is_there ? std::to_string(height) : node.trouble,
                    is_there ? std::to_string(view.height - std::min(view.height, height)) : "-",
                    rate(node, "events_received", now), rate(node, "events_completed", now),
                    rate(node, "blocks_committed", now),
                    is_there ? text_of(at(node.report, "pool"), "events") : "-",
                    has_rate ? rate_text(at(mining, "hash_rate").to_number<double>()) : "-",
                    percent(at(mining, "lent")), percent(at(mining, "others")),
                    shares_of(node.report)});
  }
  for (const NodeView& node : view.nodes) {
    if (!node.answers()) {
      before_.erase(node.node);
      continue;
    }
    Seen seen{now, {}};
    for (const char* counter : kCounters)
      seen.counters[counter] = number_of(at(node.report, "counters"), counter);
    before_[node.node] = std::move(seen);
  }
  return clipped(table({" NODE", "HEIGHT", "LAG", "IN/S", "DONE/S", "BLOCKS/S", "PENDING", "RATE",
                        "LENT", "OTHERS", "SHARES"},
                       rows),
                 shape.width);
}

}  // namespace eventchain::tools
