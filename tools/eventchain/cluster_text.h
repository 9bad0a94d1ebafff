#pragma once

#include <cstddef>
#include <string>

#include "tools/eventchain/cluster_view.h"

namespace eventchain::tools {

struct TableShape {
  std::size_t width = 0;  // of the terminal; 0: as wide as it gets
  bool is_wide = false;   // every column, whatever the width
};

// A row for each node. Columns that do not fit are left out, the least important first.
std::string nodes_text(const ClusterView& view, const TableShape& shape);
// Each with its remedy; empty if there are none.
std::string warnings_text(const ClusterView& view);
// Who leads, how many vote, how high.
std::string cluster_line(const ClusterView& view);
// All of it for programs; what is not known is absent.
boost::json::value cluster_json(const ClusterView& view);

// "1.2 GiB".
std::string bytes_text(std::uint64_t bytes);

}  // namespace eventchain::tools
