#include "store/sqlite/own_disk.h"

#include <filesystem>
#include <optional>
#include <utility>

#include "store/sqlite/connection.h"
#include "store/sqlite/store_id_file.h"

namespace eventchain::store {

using chain::Result;

Result<OwnDisk> open_own_disk(const std::string& path, const chain::Genesis& genesis,
                              const StoreId& id, const StoreOptions& options,
                              const Schema& schema) {
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  OwnDisk own;
  Disk disk{id, true};
  if (options.vfs.empty()) {
    const auto permit = read_store_id(directory);
    if (!permit) return tl::unexpected<chain::Error>(permit.error());
    if (*permit && **permit != id) return another_disk("the file store-id beside " + path, id);
    disk.may_be_new = permit->has_value();
    std::error_code error;
    if (!disk.may_be_new && !std::filesystem::exists(path, error)) return lost_disk(path);
    Result<LockFile> taken = LockFile::take(path + ".lock");
    if (!taken) return tl::unexpected<chain::Error>(taken.error());
    own.lock = std::move(*taken);
  }
  auto database = open_writer(path, genesis, disk, options, schema);
  if (!database) return tl::unexpected<chain::Error>(database.error());
  own.database = std::move(*database);
  if (options.vfs.empty() && disk.may_be_new)
    if (auto removed = remove_store_id(directory); !removed)
      return tl::unexpected<chain::Error>(removed.error());
  try {
    const std::optional<StoreId> found = store_id_of(*own.database);
    if (!found)
      return chain::fail(chain::ErrorCode::kIo,
                         "cannot open " + path + ": the database is damaged: its id is missing");
    own.id = *found;
  } catch (const StoreFailure& failure) {
    return chain::fail(chain::ErrorCode::kIo, "cannot open " + path + ": " + failure.what());
  }
  return own;
}

}  // namespace eventchain::store
