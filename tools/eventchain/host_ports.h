#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/eventchain/host_checks.h"

namespace eventchain::tools {

// Processes and ports of this host, as /proc tells. What may not be seen is left out.

struct RunningProgram {
  std::string pid;
  std::vector<std::string> arguments;
};
// Processes whose program has this name.
std::vector<RunningProgram> running_programs(const std::string& name);

// Tries to listen, at once lets go of it again, and otherwise looks who does.
PortFact look_at_port(const std::string& key, const std::string& host, std::uint16_t port);

// The process that listens on a TCP port, from the text of /proc/net/tcp or tcp6: the socket's
// inode; empty if there is none.
std::string listening_inode(const std::string& table, std::uint16_t port);

// "Max open files" of /proc/PID/limits; 0 if that cannot be read.
std::uint64_t files_open_max_of(const std::string& pid);

}  // namespace eventchain::tools
