#include "mining/host_memory.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "mining/host_probe.h"
#include "mining/host_text.h"

namespace eventchain::mining {
std::optional<std::uint64_t> parse_available(std::string_view meminfo) {
  constexpr std::string_view kMark = "MemAvailable:";
  const std::size_t found = meminfo.find(kMark);
  if (found == std::string_view::npos) return std::nullopt;
  const std::size_t begin = meminfo.find_first_not_of(' ', found + kMark.size());
  if (begin == std::string_view::npos) return std::nullopt;
  std::uint64_t kibibytes = 0;
  const char* const end = meminfo.data() + meminfo.size();
  const auto parsed = std::from_chars(meminfo.data() + begin, end, kibibytes);
  if (parsed.ec != std::errc() || kibibytes > (std::uint64_t{1} << 50)) return std::nullopt;
  return kibibytes * 1024;
}

std::optional<std::uint64_t> available_memory(const std::filesystem::path& root) {
  auto available = parse_available(read_small_file(root / "proc/meminfo"));
  if (!available) return available;
  for (const std::string& group : unified_groups(read_small_file(root / "proc/self/cgroup"))) {
    const std::filesystem::path home = root / ("sys/fs/cgroup" + group);
    const auto limit = parse_count(read_small_file(home / "memory.max"));
    const auto used = parse_count(read_small_file(home / "memory.current"));
    if (limit && used) available = std::min(*available, *limit - std::min(*limit, *used));
  }
  return available;
}

}  // namespace eventchain::mining
