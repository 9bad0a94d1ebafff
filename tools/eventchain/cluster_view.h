#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/eventchain/endpoint_poll.h"

namespace eventchain::tools {

// One member, or an endpoint that nobody knows to be one's.
struct NodeView {
  std::string name;  // empty: not known whose endpoint it is
  std::string node;  // id
  std::string role;  // as a member
  std::string site;
  std::string endpoint;       // that was asked; empty: none is known
  boost::json::value report;  // of /v1/node; null: it gave no answer
  std::string trouble;        // why not
  // What the others that answered say of it.
  std::vector<std::string> linked_by;
  std::vector<std::string> unlinked_by;
  std::optional<std::uint64_t> last_height;
  std::optional<std::chrono::milliseconds> clock_from_here;  // its clock less this machine's
  // Its clock less what most clocks say, this machine's among them, and how far that may be wrong.
  std::optional<std::chrono::milliseconds> clock_ahead;
  std::chrono::milliseconds clock_uncertainty{0};

  [[nodiscard]] bool answers() const { return !report.is_null(); }
  [[nodiscard]] bool is_voter() const { return role == "voter"; }
};

struct ClusterWarning {
  std::string severity;  // "critical", "warning" or "notice"
  std::string code;
  std::string node;  // name; empty: the cluster as a whole
  std::string text;
  std::string remedy;
};

struct ClusterView {
  std::vector<NodeView> nodes;           // in the order of the member list
  std::vector<ClusterWarning> warnings;  // the most severe first
  std::string chain;                     // its name
  bool is_ready =
      false;  // of those that answered a voter reaches a leader, or, without voters, a node
  std::string leader;  // name; empty: not known to those that answered
  std::string term;
  std::size_t voters = 0;
  // The leader and those it is linked with; without a leader those that answer.
  std::size_t voters_in_touch = 0;
  std::uint64_t height = 0;  // the highest
  std::uint64_t certified = 0;
  std::uint64_t log_size = 0;
  std::uint64_t pending = 0;
  std::uint64_t feature_level = 0;
  double hash_rate = 0;  // of all that answered, per second

  [[nodiscard]] std::size_t majority() const { return voters / 2 + 1; }
  // Notices do not count.
  [[nodiscard]] bool has_warnings() const;
};

// The member list of the first answer that has one; null if none has.
boost::json::value members_in(const std::vector<Polled>& answers);

// Where the members say that their APIs are, as endpoints of the kind of `like`.
std::vector<std::string> endpoints_of(const boost::json::value& members, const std::string& like);

// Puts together what the nodes say of themselves and of each other. Pure; takes any JSON.
ClusterView view_cluster(const std::vector<Polled>& answers);

}  // namespace eventchain::tools
