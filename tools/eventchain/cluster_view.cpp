#include "tools/eventchain/cluster_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "node/api/json_text.h"
#include "tools/eventchain/json_text.h"

namespace eventchain::tools {

namespace json = boost::json;
using std::chrono::milliseconds;

namespace {

constexpr std::uint64_t kBlocksBehind = 5;
constexpr milliseconds kClockApart{1'000};

const json::array& list_of(const json::value& value, std::string_view member) {
  static const json::array kNone;
  const json::value* found = find(value, member);
  return found != nullptr && found->is_array() ? found->get_array() : kNone;
}

bool is_true(const json::value& value, std::string_view member) {
  return text_of(value, member) == "true";
}

double real_of(const json::value& value, std::string_view member) {
  const json::value* found = find(value, member);
  return found != nullptr && found->is_number() ? found->to_number<double>() : 0;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return text;
}

std::string host_of(const std::string& endpoint) {
  const std::size_t scheme = endpoint.find("://");
  std::string host = scheme == std::string::npos ? endpoint : endpoint.substr(scheme + 3);
  if (host.ends_with('/')) host.pop_back();
  return host;
}

// Which member an endpoint is: by what it says, else by where the member says that it is.
NodeView& place_of(std::vector<NodeView>& nodes, const Polled& polled, const json::value& report,
                   const std::map<std::string, std::string>& addresses) {
  std::string id = text_of(report, "node");
  if (report.is_null()) {
    const auto known = addresses.find(host_of(polled.endpoint));
    if (known != addresses.end()) id = known->second;
  }
  for (NodeView& node : nodes)
    if (!id.empty() && node.node == id) return node;
  nodes.emplace_back();
  nodes.back().node = id;
  nodes.back().name = text_of(report, "name");
  nodes.back().role = text_of(report, "member_role");
  nodes.back().site = text_of(report, "site");
  return nodes.back();
}

// What is heard, into the members' places.
void place_answers(std::vector<NodeView>& nodes, const std::vector<Polled>& answers,
                   const json::value& members) {
  std::map<std::string, std::string> addresses;
  for (const json::value& member : list_of(members, "members"))
    if (const std::string address = text_of(member, "api_address"); !address.empty())
      addresses[address] = text_of(member, "node");
  for (const Polled& polled : answers) {
    json::value report = nullptr;
    std::string trouble = polled.trouble;
    if (trouble.empty()) {
      auto parsed = parse_json(polled.node, "its answer");
      if (parsed && find(*parsed, "node") != nullptr)
        report = std::move(*parsed);
      else
        trouble = parsed ? "its answer is not a node's" : parsed.error().message;
    }
    NodeView& node = place_of(nodes, polled, report, addresses);
    // One that answers somewhere answers.
    if (node.answers()) continue;
    if (report.is_null() && !node.trouble.empty()) continue;
    node.endpoint = polled.endpoint;
    node.trouble = trouble;
    if (report.is_null()) continue;
    if (const auto time = node::api::parse_rfc3339(text_of(report, "time"))) {
      node.clock_from_here = milliseconds(time->value) - polled.asked_at;
      node.clock_uncertainty = polled.uncertainty;
    }
    node.report = std::move(report);
  }
}

void place_hearsay(std::vector<NodeView>& nodes) {
  for (const NodeView& says : nodes) {
    for (const json::value& peer : list_of(says.report, "peers")) {
      const std::string id = text_of(peer, "node");
      const auto of = std::ranges::find(nodes, id, &NodeView::node);
      if (of == nodes.end() || id.empty()) continue;
      (is_true(peer, "linked") ? of->linked_by : of->unlinked_by).push_back(says.name);
      if (find(peer, "height") == nullptr) continue;
      const std::uint64_t height = number_of(peer, "height");
      of->last_height = std::max(of->last_height.value_or(0), height);
    }
  }
}

// From this machine's clock as the origin to what most clocks say, this one's among them. Where
// half say this and half that, the origin is nearer to what people expect.
void set_clocks(std::vector<NodeView>& nodes) {
  std::vector<milliseconds> all = {milliseconds(0)};
  for (const NodeView& node : nodes)
    if (node.clock_from_here) all.push_back(*node.clock_from_here);
  std::ranges::sort(all);
  const milliseconds low = all[(all.size() - 1) / 2];
  const milliseconds high = all[all.size() / 2];
  const milliseconds most = std::chrono::abs(low) <= std::chrono::abs(high) ? low : high;
  for (NodeView& node : nodes)
    if (node.clock_from_here) node.clock_ahead = *node.clock_from_here - most;
}

// A node without a vote is ready as soon as it is linked with some voter, who may be alone: it
// counts only where no voter answers.
bool is_any_ready(const std::vector<NodeView>& nodes) {
  const bool have_voters = std::ranges::any_of(
      nodes, [](const NodeView& node) { return node.is_voter() && node.answers(); });
  return std::ranges::any_of(nodes, [&](const NodeView& node) {
    return node.answers() && (node.is_voter() || !have_voters) && is_true(node.report, "ready");
  });
}

void sum_up(ClusterView& view) {
  std::uint64_t newest_term = 0;
  const NodeView* leads = nullptr;
  std::uint64_t pending = 0;
  for (const NodeView& node : view.nodes) {
    if (node.is_voter()) ++view.voters;
    if (!node.answers()) continue;
    const json::value& report = node.report;
    view.chain = text_of(report, "chain_name");
    view.height = std::max(view.height, number_of(report, "height"));
    view.certified = std::max(view.certified, number_of(report, "certified"));
    view.log_size = std::max(view.log_size, number_of(report, "log_size"));
    view.feature_level = std::max(view.feature_level, number_of(report, "feature_level"));
    if (const json::value* pool = find(report, "pool"))
      pending = std::max(pending, number_of(*pool, "events"));
    if (const json::value* mining = find(report, "mining"))
      view.hash_rate += real_of(*mining, "hash_rate");
    const std::string leader = text_of(report, "leader");
    const std::uint64_t term = number_of(report, "term");
    if (!is_true(report, "ready") || leader.empty() || term < newest_term) continue;
    const auto known = std::ranges::find(view.nodes, leader, &NodeView::node);
    newest_term = term;
    view.leader =
        known == view.nodes.end() || known->name.empty() ? leader.substr(0, 8) : known->name;
    view.term = text_of(report, "term");
    leads = known == view.nodes.end() ? nullptr : &*known;
  }
  view.pending = pending;
  view.is_ready = is_any_ready(view.nodes);
  for (const NodeView& node : view.nodes) {
    if (!node.is_voter()) continue;
    const bool is_linked =
        leads != nullptr && std::ranges::find(node.linked_by, leads->name) != node.linked_by.end();
    // Where the leader itself gives no answer, the others' word counts; without one, who is there.
    const bool is_there = leads == nullptr   ? node.answers()
                          : leads->answers() ? &node == leads || is_linked
                                             : node.answers() || !node.linked_by.empty();
    if (is_there) ++view.voters_in_touch;
  }
  if (leads != nullptr && leads->answers())
    if (const json::value* pool = find(leads->report, "pool"))
      view.pending = number_of(*pool, "events");
}

// --- warnings ------------------------------------------------------------------------------------

std::string name_of(const NodeView& node) {
  return node.name.empty() ? node.endpoint : node.name;
}

void warn_of_silence(const NodeView& node, ClusterView& view) {
  if (node.answers()) return;
  const std::string says =
      (node.linked_by.empty() ? "" : "; " + joined(node.linked_by) + " still linked with it") +
      (node.unlinked_by.empty() ? "" : "; no link from " + joined(node.unlinked_by));
  if (node.endpoint.empty()) {
    // It may be well; only nobody has said where to ask.
    const bool is_alive = !node.linked_by.empty();
    view.warnings.push_back(
        {is_alive          ? "notice"
         : node.is_voter() ? "critical"
                           : "warning",
         is_alive ? "address-unknown" : "unreachable", node.name,
         "no address of its API is known" + says,
         is_alive
             ? "give its --endpoint too, or tell the cluster its api_address (PATCH /v1/members)"
             : "see whether its host and eventchaind run"});
    return;
  }
  const std::string remedy =
      node.linked_by.empty()
          ? "see whether the host is up and eventchaind runs there (systemctl status eventchain), "
            "then the network; eventchain doctor on that host says more"
          : "its peers reach it, or did a moment ago: see whether it is frozen or overloaded, and "
            "what is between here and its API";
  view.warnings.push_back(
      {node.is_voter() ? "critical" : "warning", "unreachable", name_of(node),
       fmt::format("{} gives no answer: {}{}", node.endpoint, node.trouble, says), remedy});
}

void warn_of_clock(const NodeView& node, ClusterView& view) {
  if (!node.clock_ahead) return;
  const milliseconds apart = std::chrono::abs(*node.clock_ahead) - node.clock_uncertainty;
  if (apart <= kClockApart) return;
  view.warnings.push_back(
      {"warning", "clock", node.name,
       fmt::format("its clock is {:+.1f} s from most of the others'",
                   static_cast<double>(node.clock_ahead->count()) / 1000),
       "check time synchronisation there (timedatectl); wrong dates stay on blocks for ever"});
}

void warn_of_lag(const NodeView& node, ClusterView& view) {
  const std::uint64_t height = number_of(node.report, "height");
  if (!node.answers() || view.height <= height + kBlocksBehind) return;
  view.warnings.push_back(
      {"warning", "behind", node.name,
       fmt::format("it is {} blocks behind the highest", view.height - height),
       "it catches up by itself once it reaches others; if the number does not fall, see its log"});
}

// What a node says of itself, less what is told better by comparing.
void take_warnings(const NodeView& node, ClusterView& view) {
  static const std::set<std::string> kCompared = {"peer-unlinked", "behind", "clock"};
  for (const json::value& warning : list_of(node.report, "warnings"))
    if (const std::string code = text_of(warning, "code"); !kCompared.contains(code))
      view.warnings.push_back({text_of(warning, "severity"), code, node.name,
                               text_of(warning, "text"), text_of(warning, "remedy")});
}

// What its witnesses say of the log, and what keeps it from being one.
void warn_of_witnesses(const NodeView& node, ClusterView& view) {
  const json::value* witnesses = find(node.report, "witnesses");
  const json::value* cosigner = find(node.report, "cosigner");
  const auto warn = [&](const json::value* of, const char* member, const char* severity,
                        const char* remedy) {
    const std::string text = of == nullptr ? std::string() : text_of(*of, member);
    if (!text.empty())
      view.warnings.push_back(
          {severity, of == witnesses ? "witnesses" : "cosigner", node.name, text, remedy});
  };
  warn(witnesses, "alarm", "critical",
       "see node/WITNESS.md: a witness that refuses has seen another history of this log");
  warn(witnesses, "failure", "warning", "see its log, and whether the witnesses are reached");
  warn(cosigner, "failure", "warning",
       "it vouches for no log any more: see its log and the disk of witness.directory");
}

// Each missing link is told by both ends; it is told once here, and under the node that misses
// most.
void warn_of_links(ClusterView& view) {
  std::map<std::string, std::set<std::string>> missing;
  std::set<std::string> silent;
  for (const NodeView& node : view.nodes)
    if (!node.answers()) silent.insert(node.name);
  for (const NodeView& node : view.nodes)
    for (const json::value& warning : list_of(node.report, "warnings")) {
      const std::string peer = text_of(warning, "about");
      if (text_of(warning, "code") != "peer-unlinked" || silent.contains(peer)) continue;
      missing[node.name].insert(peer);
      missing[peer].insert(node.name);
    }
  while (!missing.empty()) {
    const auto most =
        std::ranges::max_element(missing, {}, [](const auto& one) { return one.second.size(); });
    if (most->second.empty()) return;
    const std::string name = most->first;
    const std::set<std::string> peers = most->second;
    view.warnings.push_back(
        {"warning", "peer-unlinked", name,
         "no link between it and " + joined({peers.begin(), peers.end()}),
         "see the network between these hosts, and firewalls; their logs name why links fail"});
    missing.erase(most);
    for (const std::string& peer : peers) missing[peer].erase(name);
  }
}

void warn_of_voters(ClusterView& view) {
  if (!view.is_ready) {
    view.warnings.push_back(
        {"critical", "no-leader", "",
         fmt::format(
             "no node that answers reaches a leader: nothing becomes durable; {} voters, {} "
             "must run and reach each other",
             view.voters, view.majority()),
         "start the voters that are down, mend the network between them"});
  } else if (!view.leader.empty() && view.voters_in_touch < view.voters &&
             view.voters_in_touch <= view.majority()) {
    view.warnings.push_back(
        {"warning", "thin-quorum", "",
         fmt::format("{} of {} voters in touch with the leader: with one more lost nothing becomes "
                     "durable",
                     view.voters_in_touch, view.voters),
         "bring the missing voters back, or replace them (eventchain cluster promote)"});
  }
}

// Two nodes that are on different blocks at one height have different histories.
void warn_of_forks(ClusterView& view) {
  std::map<std::string, const NodeView*> tips;  // "height tip" of chain -> first that said so
  std::map<std::string, std::string> at;        // chain and height -> tip
  std::set<std::string> chains;
  for (const NodeView& node : view.nodes) {
    if (!node.answers()) continue;
    const std::string chain = text_of(node.report, "chain");
    chains.insert(chain);
    const std::string place = chain + " " + text_of(node.report, "height");
    const std::string tip = text_of(node.report, "tip");
    const auto [known, is_new] = at.emplace(place, tip);
    if (!is_new && known->second != tip)
      view.warnings.push_back(
          {"critical", "two-histories", node.name,
           fmt::format("its block at height {} is another than {}'s",
                       text_of(node.report, "height"), tips[place]->name),
           "stop trusting either; verify both databases (eventchain chain verify --contains ID)"});
    tips.emplace(place, &node);
  }
  if (chains.size() > 1)
    view.warnings.push_back({"critical", "two-chains", "",
                             "the endpoints belong to different chains",
                             "ask the nodes of one chain at a time"});
}

int rank(const std::string& severity) {
  return severity == "critical" ? 0 : severity == "warning" ? 1 : 2;
}

void find_warnings(ClusterView& view) {
  warn_of_voters(view);
  warn_of_forks(view);
  for (const NodeView& node : view.nodes) warn_of_silence(node, view);
  for (const NodeView& node : view.nodes) {
    take_warnings(node, view);
    warn_of_witnesses(node, view);
  }
  warn_of_links(view);
  for (const NodeView& node : view.nodes) {
    warn_of_lag(node, view);
    warn_of_clock(node, view);
  }
  std::ranges::stable_sort(view.warnings, {},
                           [](const ClusterWarning& warning) { return rank(warning.severity); });
}

}  // namespace

bool ClusterView::has_warnings() const {
  return std::ranges::any_of(
      warnings, [](const ClusterWarning& warning) { return warning.severity != "notice"; });
}

json::value members_in(const std::vector<Polled>& answers) {
  for (const Polled& polled : answers) {
    if (polled.members.empty()) continue;
    auto parsed = parse_json(polled.members, "the member list");
    if (parsed && !list_of(*parsed, "members").empty()) return std::move(*parsed);
  }
  return nullptr;
}

std::vector<std::string> endpoints_of(const json::value& members, const std::string& like) {
  const std::string scheme = like.starts_with("https:") ? "https://" : "http://";
  std::vector<std::string> endpoints;
  for (const json::value& member : list_of(members, "members"))
    if (const std::string address = text_of(member, "api_address"); !address.empty())
      endpoints.push_back(scheme + address);
  return endpoints;
}

ClusterView view_cluster(const std::vector<Polled>& answers) {
  ClusterView view;
  const json::value members = members_in(answers);
  for (const json::value& member : list_of(members, "members")) {
    NodeView node;
    node.name = text_of(member, "name");
    node.node = text_of(member, "node");
    node.role = text_of(member, "role");
    node.site = text_of(member, "site");
    view.nodes.push_back(std::move(node));
  }
  place_answers(view.nodes, answers, members);
  place_hearsay(view.nodes);
  set_clocks(view.nodes);
  sum_up(view);
  find_warnings(view);
  return view;
}

}  // namespace eventchain::tools
