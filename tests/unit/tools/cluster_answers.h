#pragma once

#include <fmt/format.h>

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "node/api/json_text.h"
#include "tools/eventchain/cluster_view.h"

// What the nodes of a small cluster answer, for tests of what is made of it.
namespace cluster_test {

using namespace eventchain;
using namespace eventchain::tools;
namespace json = boost::json;

// By this machine's clock.
inline constexpr std::int64_t kNow = 1'800'000'000'000;

// n1 .. n3 are voters, n4 an observer; n1 leads; all linked with all.
struct Answers {
  Answers() {
    for (const int number : {1, 2, 3, 4}) reports.push_back(report(number));
  }

  static std::string name(int number) { return fmt::format("n{}", number); }
  static std::string id(int number) { return fmt::format("{:032}", number); }
  static std::string address(int number) { return fmt::format("10.0.0.{}:8100", number); }

  static json::object report(int number) {
    json::array peers;
    for (const int peer : {1, 2, 3, 4})
      if (peer != number)
        peers.push_back(json::object{
            {"node", id(peer)}, {"name", name(peer)}, {"linked", true}, {"height", "100"}});
    return json::object{
        {"node", id(number)},
        {"name", name(number)},
        {"chain", std::string(64, 'c')},
        {"chain_name", "orders"},
        {"role", number == 1 ? "leader" : "follower"},
        {"term", "7"},
        {"ready", true},
        {"leader", id(1)},
        {"height", "100"},
        {"tip", std::string(64, 'a')},
        {"certified", "99"},
        {"log_size", "5000"},
        {"feature_level", 1},
        {"program_level", 1},
        {"pool", json::object{{"events", number == 1 ? "12" : "11"}}},
        {"peers", peers},
        {"counters",
         json::object{
             {"events_received", "40"}, {"events_completed", "5000"}, {"blocks_committed", "100"}}},
        {"member_role", number == 4 ? "observer" : "voter"},
        {"site", number == 3 ? "west" : "east"},
        {"version", "1.2.3"},
        {"time", node::api::rfc3339({kNow})},
        {"disk", json::object{{"free_bytes", "107374182400"}}},
        {"certificates", json::array{json::object{{"use", "peers"}, {"seconds_left", 8'640'000}},
                                     json::object{{"use", "api"}, {"seconds_left", 864'000}}}},
        {"mining", json::object{{"state", "lends"},
                                {"reason", "cap"},
                                {"why", "all that the cap allows"},
                                {"lent", 0.25},
                                {"others", 0.1},
                                {"hash_rate", 12.5e6}}},
        {"warnings", json::array()}};
  }

  // The member list, with API addresses.
  static std::string members() {
    json::array list;
    for (const int number : {1, 2, 3, 4})
      list.push_back(json::object{{"name", name(number)},
                                  {"node", id(number)},
                                  {"role", number == 4 ? "observer" : "voter"},
                                  {"site", number == 3 ? "west" : "east"},
                                  {"api_address", address(number)}});
    return json::serialize(json::object{{"members", list}});
  }

  json::object& of(int number) { return reports[static_cast<std::size_t>(number) - 1]; }
  json::object& peer(int number, int other) {
    json::array& peers = of(number)["peers"].as_array();
    for (json::value& one : peers)
      if (one.at("name").as_string() == name(other)) return one.as_object();
    return peers.front().as_object();
  }
  void warn(int number, const char* code, const char* severity, const char* about = "") {
    of(number)["warnings"].as_array().push_back(json::object{
        {"code", code}, {"severity", severity}, {"text", "t"}, {"remedy", "r"}, {"about", about}});
  }
  // It gives no answer any more.
  void silence(int number, const char* trouble) {
    troubles.resize(5);
    troubles[static_cast<std::size_t>(number)] = trouble;
  }
  // No link between them.
  void cut(int one, int other) {
    peer(one, other)["linked"] = false;
    peer(other, one)["linked"] = false;
    warn(one, "peer-unlinked", "warning", name(other).c_str());
    warn(other, "peer-unlinked", "warning", name(one).c_str());
  }

  [[nodiscard]] std::vector<Polled> polled() const {
    std::vector<Polled> all;
    for (const int number : {1, 2, 3, 4}) {
      Polled one;
      one.endpoint = "https://" + address(number);
      one.asked_at = std::chrono::milliseconds(kNow);
      one.uncertainty = std::chrono::milliseconds(5);
      const auto index = static_cast<std::size_t>(number);
      if (index < troubles.size()) one.trouble = troubles[index];
      if (one.trouble.empty()) {
        one.node = json::serialize(reports[index - 1]);
        one.members = members();
      }
      all.push_back(std::move(one));
    }
    return all;
  }

  std::vector<json::object> reports;
  std::vector<std::string> troubles;
};

}  // namespace cluster_test
