#include "tools/bench/cost.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

namespace eventchain::bench {

namespace {

struct Stat {
  double seconds = 0;
  int policy = 0;
};

Stat read_stat(const std::filesystem::path& path) {
  // Numbered as in proc(5). The second field, the name, may hold anything; the third follows the
  // last parenthesis.
  constexpr int kFirst = 3;
  constexpr int kUserTime = 14;
  constexpr int kSystemTime = 15;
  constexpr int kPolicy = 41;
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  Stat stat;
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return stat;
  std::istringstream fields(line.substr(name_end + 1));
  std::string text;
  double ticks = 0;
  for (int field = kFirst; field <= kPolicy && fields >> text; ++field) {
    if (field == kUserTime || field == kSystemTime) ticks += std::stod(text);
    if (field == kPolicy) stat.policy = std::stoi(text);
  }
  stat.seconds = ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
  return stat;
}

}  // namespace

NodeTime cpu_seconds(pid_t pid) {
  const std::filesystem::path process = fmt::format("/proc/{}", pid);
  NodeTime time;
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator(process / "task", error)) {
    const Stat stat = read_stat(thread.path() / "stat");
    if (stat.policy == SCHED_IDLE) time.mining += stat.seconds;
  }
  time.work = read_stat(process / "stat").seconds - time.mining;
  return time;
}

double own_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::uint64_t disk_bytes(const std::vector<std::filesystem::path>& directories) {
  std::uint64_t bytes = 0;
  for (const auto& directory : directories) {
    std::error_code error;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, error)) {
      struct stat found {};
      // What stat() counts as blocks has 512 octets, whatever the file system's are.
      if (stat(entry.path().c_str(), &found) == 0 && S_ISREG(found.st_mode))
        bytes += static_cast<std::uint64_t>(found.st_blocks) * 512;
    }
  }
  return bytes;
}

}  // namespace eventchain::bench
