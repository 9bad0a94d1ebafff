#include "mining/host_memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>

#include "mining/host_text.h"

namespace eventchain::mining {
namespace {

std::string read_small(const std::filesystem::path& file) {
  constexpr std::size_t kBytesMax = 64 * 1024;
  std::ifstream stream(file, std::ios::binary);
  std::string text(kBytesMax, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

// The path of the group in the unified hierarchy: the line that begins with "0::/".
std::optional<std::string> unified_group(std::string_view text) {
  constexpr std::string_view kMark = "0::/";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (line.substr(0, kMark.size()) == kMark) return std::string(line.substr(kMark.size()));
    at = end + 1;
  }
  return std::nullopt;
}

}  // namespace

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
  auto available = parse_available(read_small(root / "proc/meminfo"));
  const auto group = unified_group(read_small(root / "proc/self/cgroup"));
  if (!available || !group) return available;
  const std::filesystem::path top = root / "sys/fs/cgroup";
  for (std::filesystem::path at = *group;; at = at.parent_path()) {
    const auto limit = parse_count(read_small(top / at / "memory.max"));
    const auto used = parse_count(read_small(top / at / "memory.current"));
    if (limit && used) available = std::min(*available, *limit - std::min(*limit, *used));
    if (at.empty()) return available;
  }
}

}  // namespace eventchain::mining
