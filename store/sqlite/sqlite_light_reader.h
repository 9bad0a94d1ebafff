#pragma once

#include <memory>
#include <string>

#include "store/chain_reader.h"
#include "store/sqlite/sqlite_store.h"

namespace eventchain::store {

// Reads the database that a SqliteLightStore in this process writes: tip, headers, members, and the
// certificate of the tip. What needs events or the log is kUnavailable: a light member keeps none.
// One connection, one call at a time, each one read transaction. Safe for several threads. Owned by
// the node's runtime. Throws StoreFailure when the disk cannot be read.
class SqliteLightReader : public ChainReader {
 public:
  ~SqliteLightReader() override;

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
  // The tip, where it is not below.
  std::optional<chain::Height> next_signed(chain::Height from) override;

 private:
  friend chain::Result<std::unique_ptr<SqliteLightReader>> open_light_reader(const std::string&,
                                                                             const chain::Genesis&,
                                                                             const StoreOptions&);
  struct State;
  explicit SqliteLightReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The file must exist and have been prepared by open_light_store().
chain::Result<std::unique_ptr<SqliteLightReader>> open_light_reader(
    const std::string& path, const chain::Genesis& genesis, const StoreOptions& options = {});

}  // namespace eventchain::store
