#include "store/sqlite/file_state.h"

#include <filesystem>
#include <fstream>

namespace eventchain::store {

namespace {

namespace fs = std::filesystem;

// What cannot be asked is as if it were not there; whoever opens it next says why.
std::uintmax_t bytes_of(const fs::path& path) {
  std::error_code failed;
  const auto bytes = fs::file_size(path, failed);
  return failed ? 0 : bytes;
}

// The journal of a transaction that was not finished begins with other than a zero
// (sqlite.org/lockingv3.html, 4.1).
bool is_begun(const fs::path& journal) {
  if (bytes_of(journal) == 0) return false;
  std::ifstream file(journal, std::ios::binary);
  return file.get() != 0;  // also where it cannot be read: nobody knows then
}

}  // namespace

FileState FileState::of(const std::string& path) {
  // SQLite keeps what belongs to a database beside the file itself, not beside a link to it.
  std::error_code failed;
  fs::path file = fs::canonical(path, failed);
  if (failed) file = path;
  FileState state;
  state.bytes_ = bytes_of(file);
  const auto changed = fs::last_write_time(file, failed);
  if (!failed) state.changed_ = std::int64_t{changed.time_since_epoch().count()};
  state.log_bytes_ = bytes_of(file.string() + "-wal");
  state.has_journal_ = is_begun(file.string() + "-journal");
  return state;
}

}  // namespace eventchain::store
