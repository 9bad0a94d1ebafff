#include "store/sqlite/sqlite_store.h"

#include <utility>

#include "store/sqlite/lock_file.h"
#include "store/sqlite/own_disk.h"
#include "store/sqlite/sqlite_chain.h"
#include "store/sqlite/sqlite_log.h"
#include "store/sqlite/sqlite_peers.h"
#include "store/sqlite/turn.h"

namespace eventchain::store {

using chain::Result;

// In the order of construction: the lock outlives the connection, the connection its statements.
struct SqliteStore::State {
  State(OwnDisk own, const chain::Genesis& genesis, const StoreOptions& options)
      : lock(std::move(own.lock)),
        turn(std::move(own.database), options.wal_bytes_max),
        chain(turn, genesis),
        raft(turn),
        peers(turn),
        id(own.id) {}

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
  auto own = open_own_disk(path, genesis, id, options);
  if (!own) return tl::unexpected<chain::Error>(own.error());
  try {
    auto state = std::make_unique<SqliteStore::State>(std::move(*own), genesis, options);
    return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(state)));
  } catch (const StoreFailure& failure) {
    return chain::fail(chain::ErrorCode::kIo, "cannot open " + path + ": " + failure.what());
  }
}

}  // namespace eventchain::store
