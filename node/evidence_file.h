#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "chain/result.h"
#include "node/evidence.h"

namespace eventchain::node {

// In the data directory.
inline constexpr const char* kEvidenceFolder = "evidence";
// No more are kept: who floods a disk with evidence must not fill it. An operator has read the
// first of them long before.
inline constexpr std::size_t kEvidenceFilesMax = 64;

// JSON; README.md has the fields.
std::string evidence_text(const Evidence& evidence);

// Writes a text under that name into `directory`, which is made if it is not there; synced. What is
// there under that name already stays. The file's path, or why there is none.
chain::Result<std::filesystem::path> keep_text(const std::filesystem::path& directory,
                                               const std::string& name, std::string_view text);

// Writes it into `directory`, which is made if it is not there, under a name that tells both
// histories; synced. What is there under that name already stays. The file's path, or why there is
// none.
chain::Result<std::filesystem::path> keep_evidence(const std::filesystem::path& directory,
                                                   const Evidence& evidence);

// How many files are there; 0 where there is no such directory.
std::size_t count_evidence(const std::filesystem::path& directory);

}  // namespace eventchain::node
