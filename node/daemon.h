#pragma once

#include <cstdint>
#include <memory>

#include "chain/result.h"
#include "node/config.h"

namespace eventchain::node {

// One node, wired from its configuration: store, core, links, miner and API, started in the order
// of dependency and stopped in the reverse. run() returns when `stop_requested` is readable or the
// disk failed.
class Daemon {
 public:
  struct StartFailure {
    chain::Error error;  // names the file or address and what to do
    int exit_code = 0;
  };

  // Reads genesis, opens the store, starts everything. `feature_level` is what this program can do
  // (chain/features.h).
  static tl::expected<std::unique_ptr<Daemon>, StartFailure> start(const Config& config,
                                                                   std::uint16_t feature_level);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Waits for SIGTERM or SIGINT (blocked in every thread beforehand) or for a failure; the exit
  // code of the program.
  int run();

 private:
  struct Parts;
  explicit Daemon(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// Exit codes of eventchaind.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  // configuration, files, addresses
inline constexpr int kExitUsage = 2;
inline constexpr int kExitRemoved = 69;  // no member any more (EX_UNAVAILABLE); do not restart
// The disk is an older copy of itself (EX_SOFTWARE); do not restart.
inline constexpr int kExitRolledBack = 70;
// The program is too old for its cluster (EX_PROTOCOL); do not restart before it is upgraded.
inline constexpr int kExitOutdated = 76;
// Light, and the cluster knows it as full, or the reverse (EX_CONFIG); do not restart.
inline constexpr int kExitWrongKind = 78;
inline constexpr int kExitDisk = 74;  // the disk failed (EX_IOERR); a restart recovers or says why

}  // namespace eventchain::node
