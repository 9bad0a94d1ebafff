#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace eventchain::bench {

// How long the disk takes to make 8 KiB durable while every directory has a writer, which is what
// each turn of a node asks of it: median of a second, in milliseconds. Nodes on one machine share
// its disk, and a rate of durable events says little without this beside it. nullopt if a directory
// cannot be written to. The probe's files are removed.
std::optional<double> sync_milliseconds(const std::vector<std::filesystem::path>& directories);

}  // namespace eventchain::bench
