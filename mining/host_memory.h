#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace eventchain::mining {

// The value of MemAvailable in the text of /proc/meminfo, in octets.
std::optional<std::uint64_t> parse_available(std::string_view meminfo);

// What this process could still take without others being swapped out or itself killed: what the
// host says is available, and no more than its control groups leave. Files are read under `root`;
// nullopt if the host does not say.
std::optional<std::uint64_t> available_memory(const std::filesystem::path& root = "/");

}  // namespace eventchain::mining
