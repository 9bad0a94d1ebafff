#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "chain/genesis.h"
#include "chain/result.h"
#include "store/sqlite/file_state.h"
#include "store/sqlite/sqlite_reader.h"

namespace eventchain::tools {

// A full node's database, read where it lies: of a running node, a stopped one, or a copy on
// whatever medium. What has no write-ahead log is read as a file that nobody writes, and whether
// somebody did is asked afterwards: then what was read says nothing.
class ColdReader {
 public:
  // `data`: the node's data directory, or the file. `connections` > 0.
  static chain::Result<ColdReader> open(const std::string& data, const chain::Genesis& genesis,
                                        std::size_t connections);

  store::SqliteReader& operator*() const { return *reader_; }
  store::SqliteReader* operator->() const { return reader_.get(); }

  // After the last read of what is to be believed, and before an error of one is.
  [[nodiscard]] chain::Result<void> check_still() const;
  // The same for whatever made one of its reads wrong: the file itself comes first.
  template <class Value>
  [[nodiscard]] chain::Result<Value> checked(chain::Result<Value> read) const {
    if (auto still = check_still(); !still) return tl::unexpected<chain::Error>(still.error());
    return read;
  }

 private:
  std::string database_;
  store::FileState before_;
  std::unique_ptr<store::SqliteReader> reader_;
};

// Error if a file that was read as one that nobody writes is another than it was before.
chain::Result<void> check_still(const std::string& database, const store::FileState& before);

}  // namespace eventchain::tools
