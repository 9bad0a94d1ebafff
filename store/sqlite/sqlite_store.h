#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "chain/genesis.h"
#include "chain/members.h"
#include "chain/result.h"
#include "store/chain_store.h"

namespace eventchain::store {

// How a database is opened that is only read.
enum class Reading : std::uint8_t {
  kBesideWriter,  // by who knows that its writer is there, or is himself the one
  kAnyCopy,       // a running node's, a stopped one's or a copy; leaves no trace where it can
};

struct StoreOptions {
  // "" is the system's; anything else is for tests, and takes no lock file and needs no permit.
  std::string vfs;
  std::int64_t cache_kib = 64 * 1024;
  std::int64_t page_bytes = 4096;  // of a new file
  // The writer copies the WAL into the database when it has grown over this.
  std::int64_t wal_bytes_max = 64 * 1024 * 1024;
  Reading reading = Reading::kBesideWriter;
};

// The member's disk. A copy brought back from a backup still has its id, so it does not tell a new
// disk from an old state of it: that is the peers' to notice.
using StoreId = chain::StoreId;

// Of the database in a node's data directory.
inline constexpr const char* kDatabaseName = "chain.db";
inline constexpr const char* kLightDatabaseName = "light.db";  // of a light member

// The store on disk: one SQLite database, of which this is the only writer. Owned by the node;
// opened before its core and closed after it; one thread. Closing it does not commit an open turn.
// After a StoreFailure nothing may be called any more: what is on disk is known at the next open.
class SqliteStore : public Store {
 public:
  ~SqliteStore() override;

  ChainStore& chain() override;
  consensus::LogStore& raft() override;
  PeerMemory& peers() override;
  Turns& turns() override;

  [[nodiscard]] StoreId id() const;
  [[nodiscard]] std::uint64_t checkpoints() const;  // of the WAL since the file was opened

 private:
  friend chain::Result<std::unique_ptr<SqliteStore>> open_store(const std::string&,
                                                                const chain::Genesis&,
                                                                const StoreId&,
                                                                const StoreOptions&);
  struct State;
  explicit SqliteStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The store of the member whose disk is `id`. Creates the file if there is none and a permit for
// this disk lies beside it (store_id_file.h), which is gone afterwards. Errors: locked by another
// node, a foreign file, a newer schema, another chain, another disk, a disk that was lost, trouble
// with the disk.
chain::Result<std::unique_ptr<SqliteStore>> open_store(const std::string& path,
                                                       const chain::Genesis& genesis,
                                                       const StoreId& id,
                                                       const StoreOptions& options = {});

}  // namespace eventchain::store
