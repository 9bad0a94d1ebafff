#include "store/sqlite/sqlite_light_reader.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "store/read_limits.h"
#include "store/sqlite/block_rows.h"
#include "store/sqlite/columns.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/light_schema.h"

namespace eventchain::store {

using chain::Result;

namespace {

tl::unexpected<chain::Error> not_kept() {
  return chain::fail(chain::ErrorCode::kUnavailable,
                     "this node is a light member and keeps headers only; ask another node");
}

}  // namespace

struct SqliteLightReader::State {
  explicit State(std::unique_ptr<SQLite::Database> opened)
      : database(std::move(opened)),
        begin(*database, "BEGIN"),
        end(*database, "COMMIT"),
        select_tip(*database,
                   "SELECT height, id, sealed, (SELECT history FROM below_tip) FROM block"
                   " ORDER BY height DESC LIMIT 1"),
        select_height(*database, "SELECT max(height) FROM block"),
        select_headers(*database,
                       "SELECT height, id, sealed FROM block WHERE height >= ? ORDER BY height"
                       " LIMIT ?"),
        select_members(*database, kSelectMembers),
        select_signatures(*database, "SELECT slot, signature FROM signature ORDER BY slot"),
        select_changes(*database, kSelectMemberChanges),
        select_signed(*database,
                      "SELECT max(height) FROM block WHERE EXISTS (SELECT 1 FROM signature)") {}

  std::mutex mutex;
  // guarded by mutex
  std::unique_ptr<SQLite::Database> database;
  Statement begin, end, select_tip, select_height, select_headers, select_members,
      select_signatures, select_changes, select_signed;

  // The lock, and a read transaction as long as it lives.
  class Reading {
   public:
    explicit Reading(State& state) : state_(state), lock_(state.mutex) { state_.begin.run(); }
    ~Reading() {
      try {
        state_.end.run();
      } catch (const StoreFailure&) {
        // Nothing was written. A connection that cannot end its transaction fails in its next call.
      }
    }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

   private:
    State& state_;
    const std::lock_guard<std::mutex> lock_;
  };
};

SqliteLightReader::SqliteLightReader(std::unique_ptr<State> state) : state_(std::move(state)) {}

SqliteLightReader::~SqliteLightReader() = default;

TipInfo SqliteLightReader::tip() {
  const State::Reading reading(*state_);
  Statement::Rows rows = state_->select_tip.query();
  if (!rows.next()) throw StoreFailure("the database is damaged: there is no block at all");
  TipInfo tip;
  tip.height.value = rows.number(0);
  tip.id = rows.fixed<chain::BlockId>(1);
  tip.sealed = or_failure(decode_sealed(rows.bytes(2), tip.id, tip.height));
  tip.log_size = tip.sealed.header.log_size;
  tip.total_work = chain::block_work(tip.sealed.header);
  for (const chain::HistoryNode& peak : or_failure(unpack_history(rows.bytes(3))))
    tip.total_work = chain::saturating_add(tip.total_work, peak.work);
  return tip;
}

Result<EventLookup> SqliteLightReader::event(const chain::EventKey&) {
  return not_kept();
}

Result<std::vector<PlacedEvent>> SqliteLightReader::stream(const chain::StreamKey&,
                                                           chain::StreamVersion, std::size_t) {
  return not_kept();
}

chain::StreamVersion SqliteLightReader::stream_version(const chain::StreamKey&) {
  return chain::kEmptyStream;
}

Result<std::vector<PlacedEvent>> SqliteLightReader::log(chain::Position, std::size_t) {
  return not_kept();
}

Result<StoredBlock> SqliteLightReader::block(chain::Height) {
  return not_kept();
}

Result<std::vector<chain::SealedHeader>> SqliteLightReader::headers(chain::Height from,
                                                                    std::size_t limit) {
  const State::Reading reading(*state_);
  std::vector<chain::SealedHeader> headers;
  Statement::Rows rows =
      state_->select_headers.query(from, std::uint64_t{std::min(limit, kReadItemsMax)});
  while (rows.next()) {
    auto sealed =
        decode_sealed(rows.bytes(2), rows.fixed<chain::BlockId>(1), chain::Height{rows.number(0)});
    if (!sealed) return tl::unexpected<chain::Error>(sealed.error());
    headers.push_back(std::move(*sealed));
  }
  return headers;
}

std::vector<StaleBlock> SqliteLightReader::stale() {
  return {};
}

Result<chain::MembersRef> SqliteLightReader::members(chain::Height height) {
  const State::Reading reading(*state_);
  return decode_members(state_->select_members.query(height.value));
}

chain::Certificate SqliteLightReader::certificate(chain::Height height) {
  const State::Reading reading(*state_);
  {
    Statement::Rows rows = state_->select_height.query();
    if (!rows.next() || rows.number(0) != height.value) return {};
  }
  return read_signatures(state_->select_signatures.query());
}

Result<chain::Hash> SqliteLightReader::tree_hash(std::uint8_t, std::uint64_t) {
  return not_kept();
}

Result<chain::HistoryNode> SqliteLightReader::history_node(std::uint64_t) {
  return not_kept();
}

std::vector<chain::Height> SqliteLightReader::member_changes() {
  const State::Reading reading(*state_);
  return read_heights(state_->select_changes.query());
}

std::optional<chain::Height> SqliteLightReader::next_signed(chain::Height from) {
  const State::Reading reading(*state_);
  Statement::Rows rows = state_->select_signed.query();
  if (!rows.next() || rows.is_null(0) || rows.number(0) < from.value) return std::nullopt;
  return chain::Height{rows.number(0)};
}

Result<std::unique_ptr<SqliteLightReader>> open_light_reader(const std::string& path,
                                                             const chain::Genesis& genesis,
                                                             const StoreOptions& options) {
  auto database = open_read_only(path, genesis, options, kLightSchema);
  if (!database) return tl::unexpected<chain::Error>(database.error());
  try {
    auto state = std::make_unique<SqliteLightReader::State>(std::move(*database));
    return std::unique_ptr<SqliteLightReader>(new SqliteLightReader(std::move(state)));
  } catch (const StoreFailure& failure) {
    return chain::fail(chain::ErrorCode::kIo, "cannot read " + path + ": " + failure.what());
  }
}

}  // namespace eventchain::store
