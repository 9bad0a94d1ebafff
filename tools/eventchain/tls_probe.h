#pragma once

#include <chrono>
#include <string>

#include "tools/eventchain/http_client.h"

namespace eventchain::tools {

// Why these cannot be used together: a key that is another certificate's, an authority that did not
// issue it, a file that is none. Times are not looked at. Empty if they can.
std::string tls_files_trouble(const TlsFiles& files);

// Who answers where a node's peers are to be: connects and shakes hands with the node's own files.
struct ProbedPeer {
  std::string trouble;  // why there is nobody to be seen; empty: there is
  std::string uri;      // of its certificate
};
// Blocks for `timeout`, and for as long as looking up the name takes.
ProbedPeer probe_peer(const std::string& host, const std::string& port, const TlsFiles& files,
                      std::chrono::milliseconds timeout);

}  // namespace eventchain::tools
