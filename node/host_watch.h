#pragma once

#include <chrono>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "chain/result.h"
#include "node/config.h"
#include "node/node_report.h"

namespace eventchain::node {

// What a node's host is like: its disk when asked, the certificates when they were taken into use.
// Thread-safe. Links are LinkWatch's.
class HostWatch {
 public:
  // `version`: of the program. What runs, runs from now on.
  HostWatch(const Config& config, std::string version);

  // Call once the files are in use. One that cannot be read any more leaves what was known.
  void read_certificate(const std::string& use, const std::filesystem::path& file);
  [[nodiscard]] HostState state() const;

 private:
  // constant after construction
  const std::filesystem::path data_;
  const std::uint64_t reserve_bytes_;
  const std::string version_;
  const chain::UnixMillis started_;
  const std::chrono::steady_clock::time_point started_steady_;

  mutable std::mutex mutex_;
  std::vector<CertificateState> certificates_;  // guarded by mutex_
};

}  // namespace eventchain::node
