#include "mining/host_text.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace eventchain::mining {
namespace {

// What stands before the first `separator`; `text` keeps what stands behind it.
std::string_view cut(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view head = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return head;
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
    return std::nullopt;
  return number;
}

// Ticks as time; what no clock can hold is nothing.
std::chrono::nanoseconds time_of(std::uint64_t ticks, std::chrono::nanoseconds tick) {
  const auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() /
                                               tick.count() / kProcessorsMax);
  return ticks <= most ? tick * static_cast<std::int64_t>(ticks) : std::chrono::nanoseconds(0);
}

// The path of a group and of all groups that it is in, the nearest first, "" the last.
std::vector<std::string> with_parents(std::string_view path) {
  constexpr std::size_t kDepthMax = 32;
  std::vector<std::string> paths;
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  while (!path.empty() && paths.size() < kDepthMax) {
    paths.emplace_back(path);
    path = path.substr(0, path.rfind('/'));
  }
  // In a namespace of its own a group sees itself as the root.
  paths.emplace_back();
  return paths;
}

// A line of /proc/self/cgroup that names a group which can be reached.
struct Group {
  std::string_view controllers;  // of version 1
  std::string_view path;
  bool is_unified = false;
};

std::vector<Group> groups_of(std::string_view text) {
  constexpr std::size_t kLinesMax = 64;
  std::vector<Group> groups;
  for (std::size_t lines = 0; !text.empty() && lines < kLinesMax; ++lines) {
    // hierarchy:controllers:path; the path may have colons.
    std::string_view line = cut(text, '\n');
    const std::string_view hierarchy = cut(line, ':');
    const std::string_view controllers = cut(line, ':');
    // A group outside of the namespace's root is named by "..", and cannot be reached.
    if (line.empty() || line.front() != '/' || line.find("/..") != std::string_view::npos) continue;
    groups.push_back({controllers, line, hierarchy == "0" && controllers.empty()});
  }
  return groups;
}

bool has_controller(std::string_view list, std::string_view controller) {
  while (!list.empty())
    if (cut(list, ',') == controller) return true;
  return false;
}

}  // namespace

std::optional<ProcessorTimes> parse_stat(std::string_view text, const ProcessorSet& processors,
                                         std::chrono::nanoseconds tick) {
  // cpuN user nice system idle iowait irq softirq steal guest guest_nice
  constexpr std::size_t kIdle = 4;
  constexpr std::size_t kWaiting = 5;  // idle with a disk at work
  constexpr std::size_t kStolen = 8;
  ProcessorTimes times;
  bool has_any = false;
  // A last line without an end is cut off.
  for (std::size_t end = 0; (end = text.find('\n')) != std::string_view::npos;) {
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.substr(0, 3) != "cpu") break;
    const auto number = parse_number<unsigned>(cut(line, ' ').substr(3));
    if (!number || !std::binary_search(processors.begin(), processors.end(), *number)) continue;
    for (std::size_t field = 1; field <= kStolen; ++field) {
      const auto ticks = parse_number<std::uint64_t>(cut(line, ' '));
      if (!ticks) break;
      if (field == kIdle || field == kWaiting) times.idle += time_of(*ticks, tick);
      if (field == kIdle) has_any = true;
      if (field == kStolen) times.stolen += time_of(*ticks, tick);
    }
  }
  if (!has_any) return std::nullopt;
  return times;
}

std::optional<ProcessorSet> parse_processor_list(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  ProcessorSet processors;
  if (text.empty() || text.back() == ',') return std::nullopt;
  while (!text.empty()) {
    std::string_view part = cut(text, ',');
    const bool is_range = part.find('-') != std::string_view::npos;
    const auto first = parse_number<unsigned>(cut(part, '-'));
    const auto last = is_range ? parse_number<unsigned>(part) : first;
    if (!first || !last || *first > *last || *last >= kProcessorsMax) return std::nullopt;
    if (!processors.empty() && *first <= processors.back()) return std::nullopt;
    for (unsigned processor = *first; processor <= *last; ++processor)
      processors.push_back(processor);
  }
  return processors;
}

unsigned count_cores(const ProcessorSet& processors, const std::vector<std::string>& siblings) {
  unsigned cores = 0;
  for (std::size_t i = 0; i < processors.size(); ++i) {
    const auto list =
        i < siblings.size() ? parse_processor_list(siblings[i]) : std::optional<ProcessorSet>();
    // A core is counted with the first of its processors that belongs to the set.
    const bool is_first = !list || std::none_of(list->begin(), list->end(), [&](unsigned sibling) {
      return sibling < processors[i] &&
             std::binary_search(processors.begin(), processors.end(), sibling);
    });
    if (is_first) ++cores;
  }
  return std::max(cores, 1U);
}

std::vector<IdleMark> idle_marks(std::string_view cgroup_text) {
  std::vector<IdleMark> marks;
  for (const Group& group : groups_of(cgroup_text)) {
    const bool is_v1 = has_controller(group.controllers, "cpu");
    if (!is_v1 && !group.is_unified) continue;
    for (const std::string& path : with_parents(group.path)) {
      if (!is_v1) {
        marks.push_back({"sys/fs/cgroup" + path + "/cpu.idle", 1});
        continue;
      }
      const std::string home = "sys/fs/cgroup/" + std::string(group.controllers) + path;
      marks.push_back({home + "/cpu.idle", 1});
      // What systemd writes there for CPUWeight=idle: two of 1,024 parts.
      marks.push_back({home + "/cpu.shares", 2});
    }
  }
  return marks;
}

std::vector<std::string> unified_groups(std::string_view cgroup_text) {
  for (const Group& group : groups_of(cgroup_text))
    if (group.is_unified) return with_parents(group.path);
  return {};
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  return parse_number<std::uint64_t>(text);
}

}  // namespace eventchain::mining
