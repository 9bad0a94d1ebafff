#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "mining/governor.h"
#include "mining/host_text.h"

namespace eventchain::mining {

// The clock of HostSample::at.
chain::Instant monotonic_now();

// The processors that this process may run on.
ProcessorSet own_processors();

// Of a file of the kernel's: its text, at most 16 KiB of it; nothing if it cannot be read.
std::string read_small_file(const std::filesystem::path& path);

struct HostProbeOptions {
  std::filesystem::path kill_switch;           // empty: there is none
  std::filesystem::path root = "/";            // under which proc and sys are
  ProcessorSet processors = own_processors();  // not empty
};

// Reads what the governor wants to know of the host. Owned by the thread that samples. Every read
// is bounded; what cannot be read is left out, or makes a sample blind.
//
// A sample costs about as much as /proc/stat, whose making grows with processors and interrupts.
class HostProbe {
 public:
  explicit HostProbe(HostProbeOptions options);
  ~HostProbe();
  HostProbe(const HostProbe&) = delete;
  HostProbe& operator=(const HostProbe&) = delete;

  // As it is now: a cgroup's setting may change while the process lives.
  [[nodiscard]] HostShape shape() const;
  // `own`: what the miner's threads have used so far.
  [[nodiscard]] HostSample sample(std::chrono::nanoseconds own);

 private:
  [[nodiscard]] bool has_kill_switch() const;
  [[nodiscard]] std::uint64_t read_throttlings() const;

  // constant after construction
  const HostProbeOptions options_;
  const std::chrono::nanoseconds tick_;

  // owned by the thread that samples
  int stat_ = -1;                                      // /proc/stat, kept open
  std::string text_;                                   // what was read of it
  std::vector<std::filesystem::path> throttle_files_;  // those that there are
  std::uint64_t throttlings_ = 0;
  std::optional<chain::Instant> throttlings_at_;
};

}  // namespace eventchain::mining
