#include "store/sqlite/sqlite_store.h"

#include <filesystem>
#include <optional>

#include "store/sqlite/connection.h"
#include "store/sqlite/lock_file.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite_chain.h"
#include "store/sqlite/sqlite_log.h"
#include "store/sqlite/sqlite_peers.h"
#include "store/sqlite/store_id_file.h"
#include "store/sqlite/turn.h"

namespace eventchain::store {

using chain::Result;

// In the order of construction: the lock outlives the connection, the connection its statements.
struct SqliteStore::State {
  State(LockFile lock_file, std::unique_ptr<SQLite::Database> database,
        const chain::Genesis& genesis, const StoreOptions& options)
      : lock(std::move(lock_file)),
        turn(std::move(database), options.wal_bytes_max),
        chain(turn, genesis),
        raft(turn),
        peers(turn) {
    const std::optional<StoreId> found = store_id_of(turn.database());
    if (!found) throw StoreFailure("the database is damaged: its id is missing");
    id = *found;
  }

  LockFile lock;
  SqliteTurn turn;
  SqliteChain chain;
  SqliteLog raft;
  SqlitePeers peers;
  StoreId id;
};

SqliteStore::SqliteStore(std::unique_ptr<State> state) : state_(std::move(state)) {}

SqliteStore::~SqliteStore() = default;

ChainStore& SqliteStore::chain() {
  return state_->chain;
}

consensus::LogStore& SqliteStore::raft() {
  return state_->raft;
}

PeerMemory& SqliteStore::peers() {
  return state_->peers;
}

Turns& SqliteStore::turns() {
  return state_->turn;
}

StoreId SqliteStore::id() const {
  return state_->id;
}

std::uint64_t SqliteStore::checkpoints() const {
  return state_->turn.checkpoints();
}

Result<std::unique_ptr<SqliteStore>> open_store(const std::string& path,
                                                const chain::Genesis& genesis, const StoreId& id,
                                                const StoreOptions& options) {
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  LockFile lock;
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
    lock = std::move(*taken);
  }
  auto database = open_writer(path, genesis, disk, options);
  if (!database) return tl::unexpected<chain::Error>(database.error());
  if (options.vfs.empty() && disk.may_be_new)
    if (auto removed = remove_store_id(directory); !removed)
      return tl::unexpected<chain::Error>(removed.error());
  try {
    auto state = std::make_unique<SqliteStore::State>(std::move(lock), std::move(*database),
                                                      genesis, options);
    return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(state)));
  } catch (const StoreFailure& failure) {
    return chain::fail(chain::ErrorCode::kIo, "cannot open " + path + ": " + failure.what());
  }
}

}  // namespace eventchain::store
