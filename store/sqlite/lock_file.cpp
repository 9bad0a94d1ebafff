#include "store/sqlite/lock_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace eventchain::store {

using chain::ErrorCode;

chain::Result<LockFile> LockFile::take(const std::string& path) {
  LockFile lock;
  lock.descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock.descriptor_ < 0)
    return chain::fail(ErrorCode::kIo, fmt::format("cannot create {}: {}; check the directory",
                                                   path, std::strerror(errno)));
  if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0)
    return chain::fail(
        ErrorCode::kUnavailable,
        fmt::format("{} is locked: another node uses this database; stop it first", path));
  return lock;
}

bool LockFile::is_held(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return false;
  // "1: FLOCK  ADVISORY  WRITE 708 00:1b:1234 0 EOF". Where files have a device that is not their
  // file system's, as stat() tells it, any file of that number is taken for this one.
  struct statfs system {};
  const bool has_other_device = ::statfs(path.c_str(), &system) != 0 ||
                                system.f_type == OVERLAYFS_SUPER_MAGIC ||
                                system.f_type == BTRFS_SUPER_MAGIC;
  const std::string device =
      has_other_device ? "" : fmt::format(" {:02x}:{:02x}", major(file.st_dev), minor(file.st_dev));
  const std::string inode = fmt::format("{}:{} ", device, file.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);)
    if (line.find(" FLOCK ") != std::string::npos && line.find(inode) != std::string::npos)
      return true;
  return false;
}

LockFile::LockFile(LockFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

LockFile& LockFile::operator=(LockFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

LockFile::~LockFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace eventchain::store
