#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "tools/eventchain/cluster_text.h"
#include "tools/eventchain/cluster_view.h"

namespace eventchain::tools {

// What happened between two looks at a cluster, as a table: rates of each node, what it mines, how
// far it lags. Remembers the look before. A node that restarted meanwhile, or gave no answer, has
// no rates for once. Pure but for what it remembers.
class ClusterRates {
 public:
  // `now`: of a clock that does not go back.
  std::string table_of(const ClusterView& view, std::chrono::milliseconds now,
                       const TableShape& shape);

 private:
  struct Seen {
    std::chrono::milliseconds at{0};
    std::map<std::string, std::uint64_t> counters;
  };
  [[nodiscard]] std::string rate(const NodeView& node, const char* counter,
                                 std::chrono::milliseconds now) const;

  std::map<std::string, Seen> before_;  // by node
};

}  // namespace eventchain::tools
