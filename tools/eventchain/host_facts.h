#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tools/eventchain/host_checks.h"

namespace eventchain::tools {

struct DoctorPlan {
  std::filesystem::path config;                 // of the node
  std::map<std::string, std::string> settings;  // as eventchaind's --set
  std::vector<std::string> endpoints;           // to be asked besides the node's own
  TlsFiles tls;                                 // for those; empty: the node's own files
  std::chrono::milliseconds timeout{2000};      // for each peer and each API
};

// Looks at this host, for a few seconds. Changes nothing but for a file in the data directory that
// it writes, syncs and removes again where it may; listens for a moment on ports that are free.
HostFacts gather_facts(const DoctorPlan& plan);

}  // namespace eventchain::tools
