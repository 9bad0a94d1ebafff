#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "chain/rng.h"

namespace eventchain::store::testing {

// What happens at the operation a CrashDisk is armed for.
enum class Fault : std::uint8_t {
  kPowerCut,  // the operation and all after it fail; the operation itself may have taken effect
  kIoError,   // it fails once with EIO; a failed sync leaves unknown what is on disk
  kFull,      // it and all later writes fail with ENOSPC
};

// A disk in memory under the real SQLite. Every write is pending until its file is synced; crash()
// decides for each pending write, in whole or by sectors, whether it reached the disk. Counts every
// write, truncate, sync and delete as an operation, so that a test can put a fault at each of them.
//
// Registered with SQLite under name() as long as it lives. One connection at a time: file locks
// always succeed.
class CrashDisk {
 public:
  CrashDisk();
  ~CrashDisk();
  CrashDisk(const CrashDisk&) = delete;
  CrashDisk& operator=(const CrashDisk&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t operations() const { return operations_; }
  [[nodiscard]] std::uint64_t syncs() const { return syncs_; }
  // The fault strikes at the operation with this number, counted from now; 1 is the next.
  void arm(std::uint64_t operation, Fault fault);
  [[nodiscard]] bool has_struck() const { return has_struck_; }
  // The process is gone: nothing it still does reaches the disk.
  void kill() { is_dead_ = true; }
  // Power is back: settles what the pending writes left, and works again.
  void crash(chain::Rng& rng);

  struct Write {
    bool is_truncate = false;
    std::size_t offset = 0;  // or the new size
    std::string octets;
  };
  struct File {
    std::string durable;
    std::string current;
    std::vector<Write> pending;
    std::vector<std::unique_ptr<char[]>> shared_memory;
    bool is_deleted = false;  // but the directory may not know yet
  };
  using FileRef = std::shared_ptr<File>;

  // The VFS's side. SQLite result codes.
  FileRef open(const std::string& path, bool create);
  int remove(const std::string& path, bool sync_directory);
  bool exists(const std::string& path) const;
  int write(File& file, Write write);
  int sync(File& file);
  [[nodiscard]] bool is_dead() const { return is_dead_; }

 private:
  int strike(bool is_write, bool* has_effect);

  std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
  std::map<std::string, FileRef> files_;
  std::uint64_t operations_ = 0;
  std::uint64_t syncs_ = 0;
  std::uint64_t strike_at_ = 0;
  Fault fault_ = Fault::kPowerCut;
  bool has_struck_ = false;
  bool is_dead_ = false;
  bool is_full_ = false;
};

}  // namespace eventchain::store::testing
