#include "store/sqlite/sqlite_log.h"

#include "store/sqlite/columns.h"

namespace eventchain::store {

using consensus::Entry;
using consensus::LogIndex;

namespace {

consensus::EntryKind entry_kind(std::int64_t value) {
  switch (static_cast<consensus::EntryKind>(value)) {
    case consensus::EntryKind::kCommand:
    case consensus::EntryKind::kBarrier:
    case consensus::EntryKind::kChange:
      return static_cast<consensus::EntryKind>(value);
  }
  throw StoreFailure("the database is damaged: a Raft log entry of unknown kind " +
                     std::to_string(value) +
                     "; remove this node from the cluster and add it again");
}

}  // namespace

SqliteLog::SqliteLog(SqliteTurn& turn)
    : turn_(turn),
      save_state_(turn.database(), "UPDATE raft_state SET term = ?, voted_for = ?"),
      load_state_(turn.database(), "SELECT term, voted_for FROM raft_state"),
      insert_entry_(turn.database(), "INSERT INTO raft_entry VALUES (?, ?, ?, ?)"),
      delete_entries_(turn.database(), "DELETE FROM raft_entry WHERE log_index BETWEEN ? AND ?"),
      select_entries_(turn.database(),
                      "SELECT term, kind, payload FROM raft_entry"
                      " WHERE log_index BETWEEN ? AND ? ORDER BY log_index"),
      save_snapshot_(turn.database(),
                     "INSERT OR REPLACE INTO raft_snapshot VALUES (1, ?, ?, ?, ?, ?)"),
      load_snapshot_(turn.database(),
                     "SELECT log_index, term, configuration, configuration_index, bytes"
                     " FROM raft_snapshot") {
  Statement select(turn.database(), "SELECT min(log_index), max(log_index) FROM raft_entry");
  Statement::Rows rows = select.query();
  if (rows.next() && !rows.is_null(0)) {
    first_ = rows.number(0);
    next_ = rows.number(1) + 1;
  } else if (const auto stored = snapshot()) {
    first_ = next_ = stored->meta.index.value + 1;
  }
}

consensus::LogStore::Loaded SqliteLog::load() {
  Loaded loaded;
  turn_.before_read();
  Statement::Rows rows = load_state_.query();
  if (!rows.next()) throw StoreFailure("the database is damaged: Raft's term and vote are missing");
  loaded.hard_state = {consensus::Term{rows.number(0)}, consensus::ServerId{rows.number(1)}};
  loaded.snapshot = snapshot();
  loaded.first = LogIndex{first_};
  if (next_ > first_) loaded.entries = entries(LogIndex{first_}, LogIndex{next_ - 1});
  return loaded;
}

void SqliteLog::save_hard_state(const consensus::HardState& state) {
  turn_.before_write();
  save_state_.run(state.term, state.voted_for);
}

void SqliteLog::append(LogIndex from, const std::vector<Entry>& entries) {
  EC_ASSERT(from.value >= first_ && from.value <= next_, "entries are appended without a gap");
  turn_.before_write();
  drop(from.value, next_);
  next_ = from.value;
  for (const Entry& entry : entries)
    insert_entry_.run(next_++, entry.term, static_cast<int>(entry.kind), entry.payload);
}

std::vector<Entry> SqliteLog::entries(LogIndex from, LogIndex to) {
  EC_ASSERT(from.value >= first_ && to.value < next_, "only stored entries can be read");
  std::vector<Entry> result;
  if (to < from) return result;
  turn_.before_read();
  result.reserve(to.value - from.value + 1);
  Statement::Rows rows = select_entries_.query(from, to);
  while (rows.next())
    result.push_back({consensus::Term{rows.number(0)}, entry_kind(rows.integer(1)),
                      chain::Bytes(rows.bytes(2))});
  if (result.size() != to.value - from.value + 1)
    throw StoreFailure(
        "the database is damaged: Raft's log has a gap; remove this node from the "
        "cluster and add it again");
  return result;
}

void SqliteLog::save_snapshot(const consensus::Snapshot& snapshot, std::uint64_t keep_trailing) {
  EC_ASSERT(keep_trailing == 0 || snapshot.meta.index.value < next_,
            "a snapshot of one's own covers stored entries only");
  turn_.before_write();
  const consensus::SnapshotMeta& meta = snapshot.meta;
  save_snapshot_.run(meta.index, meta.term, pack_configuration(meta.configuration),
                     meta.configuration_index, snapshot.bytes);
  if (keep_trailing == 0) {
    drop(first_, next_);
    first_ = next_ = meta.index.value + 1;
  } else if (meta.index.value > keep_trailing) {
    const std::uint64_t keep_from = std::min(meta.index.value - keep_trailing + 1, next_);
    drop(first_, keep_from);
    first_ = std::max(first_, keep_from);
  }
}

std::optional<consensus::Snapshot> SqliteLog::snapshot() {
  turn_.before_read();
  Statement::Rows rows = load_snapshot_.query();
  if (!rows.next()) return std::nullopt;
  consensus::Snapshot snapshot;
  snapshot.meta.index.value = rows.number(0);
  snapshot.meta.term.value = rows.number(1);
  snapshot.meta.configuration = or_failure(unpack_configuration(rows.bytes(2)));
  snapshot.meta.configuration_index.value = rows.number(3);
  snapshot.bytes = chain::Bytes(rows.bytes(4));
  return snapshot;
}

// [from, to)
void SqliteLog::drop(std::uint64_t from, std::uint64_t to) {
  if (from < to) delete_entries_.run(from, to - 1);
}

}  // namespace eventchain::store
