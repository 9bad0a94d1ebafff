#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "chain/result.h"

namespace eventchain::tools {

enum class Secrecy { kPublic, kSecret };  // 0644 or 0600

// The whole file; at most `bytes_max` octets.
chain::Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max);

// With its parents; there already is as good.
chain::Result<void> make_directory(const std::filesystem::path& dir);

// Creates the file, with its permissions from the first octet on, and refuses to replace one: a
// key overwritten by mistake is lost.
chain::Result<void> write_new_file(const std::filesystem::path& path, std::string_view content,
                                   Secrecy secrecy);

// Writes beside the target and renames, so that nobody ever reads half a file. The file beside it,
// named like it with ".new" behind, is always a new one, with the permissions that the secrecy
// asks for: whatever has that name goes first, and a link there is not followed.
chain::Result<void> replace_file(const std::filesystem::path& path, std::string_view content,
                                 Secrecy secrecy);

// Makes the file's owner and group those of the directory, if this process is root's; else does
// nothing.
chain::Result<void> give_to_owner_of(const std::filesystem::path& directory,
                                     const std::filesystem::path& file);

}  // namespace eventchain::tools
