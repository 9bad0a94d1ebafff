#include "tools/eventchain/cold_reader.h"

#include <fmt/format.h>

#include "store/sqlite/light_scan.h"
#include "tools/eventchain/verify.h"

namespace eventchain::tools {

using chain::Result;

Result<void> check_still(const std::string& database, const store::FileState& before) {
  // With a log SQLite keeps readers and the writer apart.
  if (before.has_log() || store::FileState::of(database) == before) return {};
  return chain::fail(chain::ErrorCode::kUnavailable,
                     fmt::format("{} was written while it was read: a node was started on it, or a "
                                 "copy was still being made; try it again",
                                 database));
}

Result<ColdReader> ColdReader::open(const std::string& data, const chain::Genesis& genesis,
                                    std::size_t connections) {
  ColdReader cold;
  cold.database_ = database_in(data);
  cold.before_ = store::FileState::of(cold.database_);
  if (store::is_light_database(cold.database_))
    return chain::fail(chain::ErrorCode::kInvalid,
                       cold.database_ +
                           " is a light member's: it has neither events nor receipts "
                           "nor work proofs; name a full node's");
  store::StoreOptions how;
  how.reading = store::Reading::kAnyCopy;
  auto reader = store::open_reader(cold.database_, genesis, connections, how);
  if (!reader) return tl::unexpected<chain::Error>(reader.error());
  cold.reader_ = std::move(*reader);
  return cold;
}

Result<void> ColdReader::check_still() const {
  return tools::check_still(database_, before_);
}

}  // namespace eventchain::tools
