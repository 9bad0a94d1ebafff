#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the kernel's files say, as pure functions over their text. They take any text: what does not
// read as expected is left out or answered with nothing.
namespace eventchain::mining {

// Numbers of processors, ascending, each once.
using ProcessorSet = std::vector<unsigned>;
inline constexpr unsigned kProcessorsMax = 8192;

struct ProcessorTimes {
  std::chrono::nanoseconds idle{0};
  std::chrono::nanoseconds stolen{0};
  bool operator==(const ProcessorTimes&) const = default;
};

// /proc/stat, up to any point behind its lines on processors: the sums over those of `processors`
// that it lists; nullopt if it lists none. `tick` is its unit.
std::optional<ProcessorTimes> parse_stat(std::string_view text, const ProcessorSet& processors,
                                         std::chrono::nanoseconds tick);

// A list as in .../topology/core_cpus_list: "0-3,8". nullopt for anything else.
std::optional<ProcessorSet> parse_processor_list(std::string_view text);

// How many physical cores the processors are. `siblings` has, for each of them, the text of its
// list of processors on the same core; one without a readable list counts as a core.
unsigned count_cores(const ProcessorSet& processors, const std::vector<std::string>& siblings);

// Files, by their path from the root, one of which says that the processes of /proc/self/cgroup get
// idle time alone if its value is the one named: cpu.idle of the group or of one that it is in.
struct IdleMark {
  std::string path;
  std::uint64_t value = 0;
  bool operator==(const IdleMark&) const = default;
};
std::vector<IdleMark> idle_marks(std::string_view cgroup_text);

// Of the same text: the group's path in the unified hierarchy and those of the groups that it is
// in, the nearest first; each begins with a slash but that of the root, which is empty. Nothing if
// the processes are in none, or in one that cannot be reached.
std::vector<std::string> unified_groups(std::string_view cgroup_text);

// A decimal number, and a line's end at most.
std::optional<std::uint64_t> parse_count(std::string_view text);

}  // namespace eventchain::mining
