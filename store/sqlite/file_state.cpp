#include "store/sqlite/file_state.h"

#include <filesystem>

namespace eventchain::store {

FileState FileState::of(const std::string& path) {
  // What cannot be asked is as if it were not there; whoever opens it next says why.
  FileState state;
  std::error_code failed;
  const auto bytes = std::filesystem::file_size(path, failed);
  if (!failed) state.bytes_ = bytes;
  const auto changed = std::filesystem::last_write_time(path, failed);
  if (!failed) state.changed_ = std::int64_t{changed.time_since_epoch().count()};
  const auto log_bytes = std::filesystem::file_size(path + "-wal", failed);
  if (!failed) state.log_bytes_ = log_bytes;
  return state;
}

}  // namespace eventchain::store
