#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace eventchain::bench {

// Processor seconds, user and system, of a node since its start; 0 when it is gone. Mining runs in
// threads of the kernel's idle class: they only get what nobody else wants, so their time is no
// cost of the events and is told apart.
struct NodeTime {
  double work = 0;
  double mining = 0;
};
NodeTime cpu_seconds(pid_t pid);
double own_cpu_seconds();
// Space that the files below these directories take on disk.
std::uint64_t disk_bytes(const std::vector<std::filesystem::path>& directories);

}  // namespace eventchain::bench
