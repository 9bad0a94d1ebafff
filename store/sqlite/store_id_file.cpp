#include "store/sqlite/store_id_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include "store/sqlite/sqlite_store.h"

namespace eventchain::store {

using chain::ErrorCode;
using chain::fail;
using chain::Result;
namespace fs = std::filesystem;

namespace {

constexpr const char* kFileName = "store-id";

tl::unexpected<chain::Error> system_failure(const char* what, const fs::path& path) {
  return fail(ErrorCode::kIo, fmt::format("cannot {} {}: {}; check the directory and its rights",
                                          what, path.string(), std::strerror(errno)));
}

Result<void> sync(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return system_failure("open", path);
  const bool is_synced = ::fsync(descriptor) == 0;
  const int error = errno;
  ::close(descriptor);
  errno = error;
  if (!is_synced) return system_failure("sync", path);
  return {};
}

}  // namespace

Result<void> write_store_id(const fs::path& directory, const chain::StoreId& id) {
  std::error_code error;
  if (!fs::is_directory(directory, error)) {
    if (directory.has_parent_path()) fs::create_directories(directory.parent_path(), error);
    if (::mkdir(directory.c_str(), 0700) != 0) return system_failure("create", directory);
  }
  if (fs::exists(directory / kDatabaseName, error) ||
      fs::exists(directory / kLightDatabaseName, error))
    return fail(ErrorCode::kInvalid,
                fmt::format("{} has a database already: a node has run there; name another "
                            "directory, or keep the configuration it has",
                            directory.string()));
  const Result<std::optional<chain::StoreId>> there = read_store_id(directory);
  if (!there) return tl::unexpected(there.error());
  if (*there == id) return {};
  const fs::path file = directory / kFileName;
  if (*there)
    return fail(
        ErrorCode::kInvalid,
        fmt::format("{} is there for another member; name another directory", file.string()));
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return system_failure("create", file);
  const std::string text = to_hex(id) + "\n";
  const bool is_written =
      ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(descriptor) == 0;
  if (::close(descriptor) != 0 || !is_written) return system_failure("write", file);
  return sync(directory);
}

Result<std::optional<chain::StoreId>> read_store_id(const fs::path& directory) {
  const fs::path file = directory / kFileName;
  std::error_code error;
  if (!fs::exists(file, error)) return std::optional<chain::StoreId>();
  std::ifstream in(file, std::ios::binary);
  std::string text(2 * chain::StoreId::kSize + 2, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (!text.empty() && text.back() == '\n') text.pop_back();
  const auto octets = chain::from_hex(text);
  const auto id = octets ? chain::StoreId::from(*octets) : std::nullopt;
  if (!id)
    return fail(ErrorCode::kMalformed,
                fmt::format("{} must be 32 lower-case hexadecimal digits; remove it and run "
                            "\"eventchain config init\" again",
                            file.string()));
  return std::optional(*id);
}

Result<void> remove_store_id(const fs::path& directory) {
  const fs::path file = directory / kFileName;
  if (::unlink(file.c_str()) != 0 && errno != ENOENT) return system_failure("remove", file);
  return sync(directory);
}

}  // namespace eventchain::store
