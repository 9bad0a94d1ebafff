#include "store/sqlite/sqlite_chain.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/integrity.h"
#include "store/sqlite/block_rows.h"
#include "store/sqlite/columns.h"

namespace eventchain::store {

using chain::ErrorCode;
using chain::Result;

SqliteChain::SqliteChain(SqliteTurn& turn, const chain::Genesis& genesis)
    : turn_(turn),
      genesis_(genesis),
      limits_(chain::event_limits(genesis)),
      writer_(turn, versions_, pending_),
      insert_event_(turn.database(), "INSERT INTO event VALUES (?, ?, ?, ?)"),
      delete_event_(turn.database(), "DELETE FROM event WHERE arrival = ?"),
      select_records_(
          turn.database(),
          from_keys("SELECT k.arrival, e.mark, e.salt, e.body, p.height, p.position, p.reason,"
                    " p.version"
                    " FROM $KEYS k JOIN event e ON e.arrival = k.arrival"
                    " JOIN placement p ON p.arrival = k.arrival WHERE k.prefix = ?1")
              .c_str()),
      select_known_(turn.database(), from_keys("SELECT 1 FROM $KEYS WHERE prefix = ?1").c_str()),
      select_pending_(turn.database(),
                      "SELECT arrival, mark, salt, body, NULL, NULL, NULL, NULL FROM event"
                      " WHERE arrival = ?"),
      select_placed_(
          turn.database(),
          from_keys("SELECT k.arrival, e.mark, e.salt, e.body, p.height, p.position, p.reason,"
                    " p.version"
                    " FROM $KEYS k JOIN event e ON e.arrival = k.arrival"
                    " JOIN placement p ON p.arrival = k.arrival"
                    " WHERE k.prefix = ?1 AND p.position IS NOT NULL")
              .c_str()),
      select_variant_(turn.database(),
                      from_keys("SELECT e.arrival FROM $KEYS k JOIN event e"
                                " ON e.arrival = k.arrival WHERE k.prefix = ?1 AND e.mark = ?2")
                          .c_str()),
      select_variant_body_(
          turn.database(),
          from_keys("SELECT e.mark, e.salt, e.body FROM $KEYS k JOIN event e"
                    " ON e.arrival = k.arrival WHERE k.prefix = ?1 AND e.mark = ?2")
              .c_str()),
      select_body_(turn.database(), "SELECT mark, salt, body FROM event WHERE arrival = ?"),
      select_last_chunk_(turn.database(),
                         "SELECT first_version, arrivals FROM stream_chunk WHERE stream = ?"
                         " ORDER BY first_version DESC LIMIT 1"),
      insert_template_(turn.database(), "INSERT OR IGNORE INTO template VALUES (?, ?, ?, ?)"),
      select_template_(turn.database(), "SELECT header, content FROM template WHERE hash = ?"),
      update_applied_(turn.database(), "UPDATE progress SET applied = ?"),
      select_block_(turn.database(), kSelectBlock),
      select_height_(turn.database(), "SELECT height FROM block WHERE id = ?"),
      insert_stale_(turn.database(), "INSERT INTO stale(sealed, reason) VALUES (?, ?)"),
      insert_signature_(turn.database(), "INSERT OR REPLACE INTO signature VALUES (?, ?, ?)"),
      select_signatures_(turn.database(), kSelectSignatures) {
  Statement select(turn.database(), "SELECT max(arrival) FROM event");
  Statement::Rows rows = select.query();
  if (rows.next()) next_arrival_ = rows.number(0) + 1;
}

bool SqliteChain::is_placed(const chain::EventKey& key) {
  turn_.before_read();
  Statement::Rows rows = select_placed_.query(key_prefix(key));
  while (rows.next())
    if (record_of(rows, key).facts.key == key) return true;
  return false;
}

chain::StreamVersion SqliteChain::stream_version(const chain::StreamKey& stream) {
  if (const chain::StreamVersion* known = versions_.find(stream)) return *known;
  turn_.before_read();
  Statement::Rows rows = select_last_chunk_.query(stream);
  chain::StreamVersion version = chain::kEmptyStream;
  if (rows.next())
    version.value = rows.integer(0) + static_cast<std::int64_t>(count_arrivals(rows.bytes(1))) - 1;
  return *versions_.put(stream, version);
}

ChainStore::Recovered SqliteChain::recover() {
  turn_.before_read();
  Result<chain::ChainState> state = restore_state(genesis_, stored_tip());
  if (!state) throw StoreFailure(state.error().message);
  Recovered recovered{std::move(*state), {}, {}, {}};

  Statement progress(turn_.database(), "SELECT applied, pending_floor FROM progress");
  Statement::Rows at = progress.query();
  if (!at.next()) throw StoreFailure("the database is damaged: the applied log index is missing");
  recovered.applied.value = at.number(0);
  recovered.certified = last_certified();
  Statement pending(turn_.database(),
                    "SELECT e.arrival, e.mark, e.salt, e.body FROM event e"
                    " LEFT JOIN placement p ON p.arrival = e.arrival"
                    " WHERE e.arrival >= ? AND p.arrival IS NULL ORDER BY e.arrival");
  Statement::Rows rows = pending.query(at.integer(1));
  pending_ = {};
  is_recovered_ = true;
  while (rows.next()) {
    const chain::EventFacts facts = or_failure(checked_event(rows, 1, 2, 3)).facts;
    pending_.add({facts.key, facts.commitment}, rows.number(0));
    recovered.pending.emplace_back(rows.number(0), facts);
  }
  return recovered;
}

chain::MembersRef SqliteChain::members(chain::Height height) {
  turn_.before_read();
  Statement select(turn_.database(), kSelectMembers);
  return or_failure(decode_members(select.query(height.value)));
}

std::vector<chain::Height> SqliteChain::member_changes() {
  turn_.before_read();
  Statement select(turn_.database(), kSelectMemberChanges);
  return read_heights(select.query());
}

chain::Height SqliteChain::last_certified() {
  Statement signed_blocks(turn_.database(),
                          "SELECT DISTINCT height FROM signature ORDER BY height DESC");
  Statement::Rows rows = signed_blocks.query();
  while (rows.next()) {
    const chain::Height height{rows.number(0)};
    if (chain::is_certified(signatures(height), *members(height), *members(height.next())))
      return height;
  }
  return {};
}

PendingIndex& SqliteChain::pending() {
  EC_ASSERT(is_recovered_, "a store is recovered before it is used");
  return pending_;
}

StoredTip SqliteChain::stored_tip() {
  StoredTip tip;
  Statement select(turn_.database(),
                   "SELECT height, id, sealed, log, history FROM block, peaks"
                   " ORDER BY height DESC LIMIT 1");
  Statement::Rows rows = select.query();
  if (!rows.next()) throw StoreFailure("the database is damaged: there is no block at all");
  const std::uint64_t height = rows.number(0);
  tip.id = rows.fixed<chain::BlockId>(1);
  tip.sealed = or_failure(decode_sealed(rows.bytes(2), tip.id, chain::Height{height}));
  tip.log_peaks = or_failure(unpack_hashes(rows.bytes(3)));
  tip.history_peaks = or_failure(unpack_history(rows.bytes(4)));
  tip.members = members(chain::Height{height + 1});
  Statement node(turn_.database(), "SELECT node FROM history_node WHERE place = ?");
  // `height` blocks come before the tip, genesis included.
  for (const std::uint64_t place : history_peak_places(height)) {
    Statement::Rows found = node.query(place);
    if (!found.next()) throw StoreFailure("the database is damaged: the history has a gap");
    tip.history_peaks_before.push_back(or_failure(chain::decode_history_node(found.bytes(0))));
  }
  return tip;
}

std::uint64_t SqliteChain::put_event(const chain::HeldEvent& event) {
  turn_.before_write();
  const std::uint64_t arrival = next_arrival_++;
  insert_event_.run(arrival, mark_of(event.facts.commitment), event.salt, event.body);
  pending().add({event.facts.key, event.facts.commitment}, arrival);
  return arrival;
}

std::vector<EventRecord> SqliteChain::find_event(const chain::EventKey& key) {
  turn_.before_read();
  std::vector<EventRecord> records;
  const auto take = [&](Statement::Rows rows) {
    while (rows.next()) {
      EventRecord record = record_of(rows, key);
      if (record.facts.key == key) records.push_back(std::move(record));
    }
  };
  // Nearly every event is new: a look at the index alone opens two tables instead of six.
  if (select_known_.query(key_prefix(key)).next()) take(select_records_.query(key_prefix(key)));
  pending().each(key, [&](std::uint64_t arrival) { take(select_pending_.query(arrival)); });
  std::sort(records.begin(), records.end(),
            [](const EventRecord& a, const EventRecord& b) { return a.arrival < b.arrival; });
  return records;
}

// Of an event that was looked up by `key` or by one that shares its prefix.
EventRecord SqliteChain::record_of(const Statement::Rows& rows, const chain::EventKey& key) const {
  EventRecord record;
  record.arrival = rows.number(0);
  record.facts = or_failure(checked_event(rows, 1, 2, 3)).facts;
  if (key_prefix(record.facts.key) != key_prefix(key))
    throw StoreFailure(
        fmt::format("the database is damaged: the body stored for event {} is of another event; "
                    "fetch it again from a peer",
                    to_hex(key)));
  if (!rows.is_null(4)) record.height = chain::Height{rows.number(4)};
  if (!rows.is_null(5)) record.position = chain::Position{rows.number(5)};
  if (!rows.is_null(6)) record.rejected = static_cast<chain::RejectionReason>(rows.integer(6));
  if (!rows.is_null(7)) record.version = chain::StreamVersion{rows.integer(7)};
  return record;
}

bool SqliteChain::holds(const chain::EntryRef& entry) {
  if (pending().find(entry)) return true;
  turn_.before_read();
  return select_variant_.query(key_prefix(entry.key), mark_of(entry.commitment)).next();
}

Result<chain::HeldEvent> SqliteChain::load_event(const chain::EntryRef& entry) {
  turn_.before_read();
  const chain::ByteView mark = mark_of(entry.commitment);
  const auto held = pending().find(entry);
  Statement::Rows rows =
      held ? select_body_.query(*held) : select_variant_body_.query(key_prefix(entry.key), mark);
  if (!rows.next())
    return chain::fail(ErrorCode::kNotFound,
                       fmt::format("event {} is not held in the variant {}; fetch it from a peer",
                                   to_hex(entry.key), to_hex(entry.commitment)));
  Result<chain::HeldEvent> event = checked_event(rows, 0, 1, 2);
  if (!event) return event;
  if (auto checked = check_commitment(*event, entry.commitment); !checked)
    return tl::unexpected<chain::Error>(checked.error());
  return event;
}

void SqliteChain::drop_variant(const chain::EntryRef& entry) {
  turn_.before_write();
  const auto arrival = pending().take(entry);
  EC_ASSERT(arrival.has_value(), "only what is pending is dropped");
  delete_event_.run(*arrival);
}

void SqliteChain::put_template(const chain::Template& candidate) {
  turn_.before_write();
  insert_template_.run(chain::template_hash(candidate.header), candidate.header.height,
                       chain::encode_header(candidate.header),
                       chain::encode_content(candidate.content));
}

std::optional<chain::Template> SqliteChain::find_template(const chain::TemplateHash& hash) {
  turn_.before_read();
  Statement::Rows rows = select_template_.query(hash);
  if (!rows.next()) return std::nullopt;
  return chain::Template{or_failure(chain::decode_header(rows.bytes(0))),
                         or_failure(chain::decode_content(rows.bytes(1)))};
}

void SqliteChain::apply_block(const BlockApplication& application) {
  turn_.before_write();
  EC_ASSERT(is_recovered_, "a store is recovered before it is used");
  writer_.apply(application);
}

void SqliteChain::set_applied(consensus::LogIndex applied) {
  turn_.before_write();
  update_applied_.run(applied);
}

Result<chain::Block> SqliteChain::block(chain::Height height) {
  turn_.before_read();
  Statement::Rows rows = select_block_.query(height);
  if (!rows.next()) return no_block(height);
  Result<StoredBlock> stored = decode_block(rows, height);
  if (!stored) return tl::unexpected<chain::Error>(stored.error());
  return std::move(stored->block);
}

std::optional<chain::Height> SqliteChain::height_of(const chain::BlockId& id) {
  turn_.before_read();
  Statement::Rows rows = select_height_.query(id);
  if (!rows.next()) return std::nullopt;
  return chain::Height{rows.number(0)};
}

void SqliteChain::put_stale(const StaleBlock& stale) {
  turn_.before_write();
  insert_stale_.run(chain::encode_sealed_header(stale.sealed), stale.reason);
}

void SqliteChain::put_signature(chain::Height height, const chain::SlotSignature& signature) {
  turn_.before_write();
  insert_signature_.run(height.value, int{signature.slot.value}, signature.signature);
}

chain::Certificate SqliteChain::signatures(chain::Height height) {
  turn_.before_read();
  return read_signatures(select_signatures_.query(height.value));
}

Result<chain::HeldEvent> SqliteChain::checked_event(const Statement::Rows& rows, int mark, int salt,
                                                    int body) const {
  Result<chain::HeldEvent> event =
      chain::hold_event(rows.fixed<chain::Salt>(salt), chain::Bytes(rows.bytes(body)), limits_);
  if (!event)
    return chain::fail(ErrorCode::kCorrupt, "a stored body is damaged: " + event.error().message);
  if (mark_of(event->facts.commitment) != rows.bytes(mark))
    return chain::fail(ErrorCode::kCorrupt,
                       fmt::format("the stored body of event {} does not hash to what was put; "
                                   "fetch it again from a peer",
                                   to_hex(event->facts.key)));
  return event;
}

}  // namespace eventchain::store
