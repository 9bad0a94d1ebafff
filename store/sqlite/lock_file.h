#pragma once

#include <string>

#include "chain/result.h"

namespace eventchain::store {

// Keeps a second writer out, in this process or another: an flock on "<database>.lock". SQLite's
// own locks would let two nodes take turns on one file. Released with the object or the process.
class LockFile {
 public:
  static chain::Result<LockFile> take(const std::string& path);

  // Whether anybody holds it, a node that is: by what the kernel tells, for whoever tried to take
  // it would keep out a node that starts at that moment. False where another container's node does.
  static bool is_held(const std::string& path);

  LockFile() = default;
  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&& other) noexcept;
  ~LockFile();

 private:
  int descriptor_ = -1;
};

}  // namespace eventchain::store
