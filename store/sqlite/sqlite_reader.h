#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "store/chain_reader.h"
#include "store/sqlite/sqlite_store.h"

namespace eventchain::store {

class ReadConnection;
class BlockCache;

// Readers of the database that a SqliteStore in this process writes. As many calls run at once as
// it has connections; one more waits for the next that is free. Each call is one read transaction.
// Safe for several threads. Owned by the node's runtime; closed after the last call has returned.
// Throws StoreFailure when the disk cannot be read.
class SqliteReader : public ChainReader {
 public:
  ~SqliteReader() override;

  TipInfo tip() override;
  chain::Result<EventLookup> event(const chain::EventKey& key) override;
  chain::Result<std::vector<PlacedEvent>> stream(const chain::StreamKey& stream,
                                                 chain::StreamVersion from,
                                                 std::size_t limit) override;
  chain::StreamVersion stream_version(const chain::StreamKey& stream) override;
  chain::Result<std::vector<PlacedEvent>> log(chain::Position from, std::size_t limit) override;
  chain::Result<StoredBlock> block(chain::Height height) override;
  chain::Result<std::vector<chain::SealedHeader>> headers(chain::Height from,
                                                          std::size_t limit) override;
  std::vector<StaleBlock> stale() override;
  chain::Result<chain::MembersRef> members(chain::Height height) override;
  chain::Certificate certificate(chain::Height height) override;
  chain::Result<chain::Hash> tree_hash(std::uint8_t level, std::uint64_t index) override;
  chain::Result<chain::HistoryNode> history_node(std::uint64_t number) override;
  std::vector<chain::Height> member_changes() override;
  std::optional<chain::Height> next_signed(chain::Height from) override;

 private:
  friend chain::Result<std::unique_ptr<SqliteReader>> open_reader(const std::string&,
                                                                  const chain::Genesis&,
                                                                  std::size_t, const StoreOptions&);
  class Lease;
  SqliteReader();

  std::unique_ptr<BlockCache> blocks_;
  std::mutex mutex_;
  std::condition_variable is_free_;
  // guarded by mutex_
  std::vector<std::unique_ptr<ReadConnection>> free_;
};

// `connections` > 0. The file must exist and have been prepared by open_store().
chain::Result<std::unique_ptr<SqliteReader>> open_reader(const std::string& path,
                                                         const chain::Genesis& genesis,
                                                         std::size_t connections,
                                                         const StoreOptions& options = {});

}  // namespace eventchain::store
