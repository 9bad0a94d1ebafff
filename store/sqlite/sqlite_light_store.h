#pragma once

#include <memory>
#include <string>

#include "chain/genesis.h"
#include "chain/result.h"
#include "store/light_store.h"
#include "store/sqlite/sqlite_store.h"

namespace eventchain::store {

// A light member's store on disk: one SQLite database with tables of its own, of which this is the
// only writer. Opening, identity, locking, turns and failures are those of SqliteStore. Owned by
// the node; one thread.
class SqliteLightStore : public LightStore {
 public:
  ~SqliteLightStore() override;

  Recovered recover() override;
  void append(const LightRun& run) override;
  Turns& turns() override;

  [[nodiscard]] StoreId id() const;

 private:
  friend chain::Result<std::unique_ptr<SqliteLightStore>> open_light_store(const std::string&,
                                                                           const chain::Genesis&,
                                                                           const StoreId&,
                                                                           const StoreOptions&);
  struct State;
  explicit SqliteLightStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The store of the light member whose disk is `id`; see open_store.
chain::Result<std::unique_ptr<SqliteLightStore>> open_light_store(const std::string& path,
                                                                  const chain::Genesis& genesis,
                                                                  const StoreId& id,
                                                                  const StoreOptions& options = {});

}  // namespace eventchain::store
