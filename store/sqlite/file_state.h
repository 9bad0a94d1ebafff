#pragma once

#include <cstdint>
#include <string>

namespace eventchain::store {

// Tells whether a file that was read as one that nobody writes was one. Taken before the first
// connection and compared after the last read.
class FileState {
 public:
  static FileState of(const std::string& path);
  // A log without octets is none: SQLite makes one where a database is opened for writing.
  [[nodiscard]] bool has_log() const { return log_bytes_ > 0; }
  // A rollback journal of a change that was cut off: the file is not whole without it. A node
  // leaves one only where its very first start was cut off; other programs can at any time.
  [[nodiscard]] bool has_journal() const { return has_journal_; }
  bool operator==(const FileState&) const = default;

 private:
  std::uintmax_t bytes_ = 0;
  std::int64_t changed_ = 0;
  std::uintmax_t log_bytes_ = 0;
  bool has_journal_ = false;
};

}  // namespace eventchain::store
