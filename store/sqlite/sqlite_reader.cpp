#include "store/sqlite/sqlite_reader.h"

#include "store/sqlite/block_cache.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/read_connection.h"

namespace eventchain::store {

using chain::Result;

namespace {

// About 16 MiB: the largest block has 65,536 entries of 48 octets.
constexpr std::size_t kCachedEntriesMax = 5 * 65'536;
// The hot pages are in the operating system's cache anyway, once for all connections.
constexpr std::int64_t kReaderCacheKib = 8 * 1024;

}  // namespace

// A connection for the time of one call, with its read transaction.
class SqliteReader::Lease {
 public:
  explicit Lease(SqliteReader& reader) : reader_(reader) {
    std::unique_lock lock(reader_.mutex_);
    reader_.is_free_.wait(lock, [this] { return !reader_.free_.empty(); });
    connection_ = std::move(reader_.free_.back());
    reader_.free_.pop_back();
    lock.unlock();
    try {
      connection_->begin();
    } catch (...) {
      give_back();
      throw;
    }
  }
  ~Lease() {
    try {
      connection_->end();
    } catch (const StoreFailure&) {
      // Nothing was written. A connection that cannot end its transaction fails in its next call.
    }
    give_back();
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  ReadConnection* operator->() { return connection_.get(); }

 private:
  void give_back() {
    {
      const std::lock_guard lock(reader_.mutex_);
      reader_.free_.push_back(std::move(connection_));
    }
    reader_.is_free_.notify_one();
  }

  SqliteReader& reader_;
  std::unique_ptr<ReadConnection> connection_;
};

SqliteReader::SqliteReader() : blocks_(std::make_unique<BlockCache>(kCachedEntriesMax)) {}

SqliteReader::~SqliteReader() = default;

TipInfo SqliteReader::tip() {
  return Lease(*this)->tip();
}

Result<EventLookup> SqliteReader::event(const chain::EventKey& key) {
  return Lease(*this)->event(key);
}

Result<std::vector<PlacedEvent>> SqliteReader::stream(const chain::StreamKey& stream,
                                                      chain::StreamVersion from,
                                                      std::size_t limit) {
  return Lease(*this)->stream(stream, from, limit);
}

chain::StreamVersion SqliteReader::stream_version(const chain::StreamKey& stream) {
  return Lease(*this)->stream_version(stream);
}

Result<std::vector<PlacedEvent>> SqliteReader::log(chain::Position from, std::size_t limit) {
  return Lease(*this)->log(from, limit);
}

Result<StoredBlock> SqliteReader::block(chain::Height height) {
  return Lease(*this)->block(height);
}

Result<std::vector<chain::SealedHeader>> SqliteReader::headers(chain::Height from,
                                                               std::size_t limit) {
  return Lease(*this)->headers(from, limit);
}

std::vector<StaleBlock> SqliteReader::stale() {
  return Lease(*this)->stale();
}

Result<chain::MembersRef> SqliteReader::members(chain::Height height) {
  return Lease(*this)->members(height);
}

chain::Certificate SqliteReader::certificate(chain::Height height) {
  return Lease(*this)->certificate(height);
}

Result<chain::Hash> SqliteReader::tree_hash(std::uint8_t level, std::uint64_t index) {
  return Lease(*this)->tree_hash(level, index);
}

Result<chain::HistoryNode> SqliteReader::history_node(std::uint64_t number) {
  return Lease(*this)->history_node(number);
}

std::vector<chain::Height> SqliteReader::member_changes() {
  return Lease(*this)->member_changes();
}

std::optional<chain::Height> SqliteReader::next_signed(chain::Height from) {
  return Lease(*this)->next_signed(from);
}

Result<std::unique_ptr<SqliteReader>> open_reader(const std::string& path,
                                                  const chain::Genesis& genesis,
                                                  std::size_t connections,
                                                  const StoreOptions& options) {
  EC_ASSERT(connections > 0, "a reader without a connection would wait for ever");
  StoreOptions own = options;
  own.cache_kib = std::min(options.cache_kib, kReaderCacheKib);
  std::unique_ptr<SqliteReader> reader(new SqliteReader());
  for (std::size_t i = 0; i < connections; ++i) {
    auto database = open_read_only(path, genesis, own);
    if (!database) return tl::unexpected<chain::Error>(database.error());
    try {
      reader->free_.push_back(
          std::make_unique<ReadConnection>(std::move(*database), genesis, *reader->blocks_));
    } catch (const StoreFailure& failure) {
      return chain::fail(chain::ErrorCode::kIo, "cannot read " + path + ": " + failure.what());
    }
  }
  return reader;
}

}  // namespace eventchain::store
