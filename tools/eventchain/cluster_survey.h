#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "tools/eventchain/cluster_view.h"
#include "tools/eventchain/endpoint_poll.h"
#include "tools/eventchain/session.h"

namespace eventchain::tools {

// Looks at a whole cluster by way of the session's endpoints, as often as wanted: asks them, and at
// the same time all members that they tell of. One thread.
class ClusterSurvey {
 public:
  // Stops the command if there is no endpoint or the TLS files are unusable. `timeout`: for each
  // node; a look takes twice that at most.
  ClusterSurvey(const Session& session, std::chrono::milliseconds timeout);

  ClusterView look();

 private:
  std::vector<std::string> endpoints_;
  const std::chrono::milliseconds timeout_;
  EndpointPoll poll_;
};

// Of the terminal that standard output is; zeros if it is none.
struct TerminalSize {
  std::size_t columns = 0;
  std::size_t rows = 0;
};
TerminalSize terminal_size();

}  // namespace eventchain::tools
