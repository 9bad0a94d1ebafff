#include "store/sqlite/read_connection.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/read_limits.h"
#include "store/sqlite/block_rows.h"
#include "store/sqlite/columns.h"

namespace eventchain::store {

using chain::ErrorCode;
using chain::Result;

namespace {

constexpr std::uint64_t kTileHashes = 256;

tl::unexpected<chain::Error> damaged(std::string text) {
  return chain::fail(ErrorCode::kCorrupt, std::move(text) + "; fetch it again from a peer");
}

}  // namespace

class ReadConnection::Leaves {
 public:
  explicit Leaves(Statement& select_tile) : select_tile_(select_tile) {}

  // Error unless the event is what the log has at the position.
  Result<void> check(const chain::EventFacts& facts, chain::Position position) {
    const std::uint64_t number = position.value / kTileHashes;
    if (number != number_) {
      Statement::Rows rows = select_tile_.query(0, number);
      tile_ = rows.next() ? chain::Bytes(rows.bytes(0)) : chain::Bytes();
      number_ = number;
    }
    const std::size_t offset = position.value % kTileHashes * chain::Hash::kSize;
    const chain::Hash leaf = chain::log_leaf(facts.commitment);
    if (offset + leaf.kSize <= tile_.size() &&
        chain::ByteView(tile_).substr(offset, leaf.kSize) == leaf.view())
      return {};
    return damaged(
        fmt::format("the stored body of event {} does not hash to the leaf of the log "
                    "at position {}",
                    to_hex(facts.key), position.value));
  }

 private:
  Statement& select_tile_;
  std::uint64_t number_ = ~std::uint64_t{0};
  chain::Bytes tile_;
};

ReadConnection::ReadConnection(std::unique_ptr<SQLite::Database> database,
                               const chain::Genesis& genesis, BlockCache& blocks)
    : database_(std::move(database)),
      limits_(chain::event_limits(genesis)),
      blocks_(blocks),
      begin_(*database_, "BEGIN"),
      end_(*database_, "COMMIT"),
      select_tip_(*database_,
                  "SELECT height, id, sealed, history FROM block, peaks"
                  " ORDER BY height DESC LIMIT 1"),
      select_variants_(*database_,
                       (from_keys("SELECT k.arrival, p.height, p.position, p.version, p.reason"
                                  " FROM $KEYS k JOIN placement p ON p.arrival = k.arrival"
                                  " WHERE k.prefix = ?1") +
                        " ORDER BY 1")
                           .c_str()),
      select_body_(*database_, "SELECT mark, salt, body FROM event WHERE arrival = ?"),
      select_placed_(*database_,
                     "SELECT e.salt, e.body, p.position, p.version, p.height FROM event e"
                     " JOIN placement p ON p.arrival = e.arrival WHERE e.arrival = ?"),
      select_entry_(*database_, from_keys("SELECT e.salt, e.body, p.version FROM $KEYS k"
                                          " JOIN event e ON e.arrival = k.arrival"
                                          " JOIN placement p ON p.arrival = k.arrival"
                                          " WHERE k.prefix = ?1 AND p.position = ?2")
                                    .c_str()),
      select_last_chunk_(*database_,
                         "SELECT first_version, arrivals FROM stream_chunk WHERE stream = ?"
                         " ORDER BY first_version DESC LIMIT 1"),
      select_chunks_(*database_,
                     "SELECT first_version, arrivals FROM stream_chunk WHERE stream = ?1"
                     " AND first_version >= (SELECT max(first_version) FROM stream_chunk"
                     " WHERE stream = ?1 AND first_version <= ?2) ORDER BY first_version"),
      select_block_(*database_, kSelectBlock),
      // Blocks without entries share the first position of the next one that has some, which comes
      // last among them.
      select_height_at_(*database_,
                        "SELECT height FROM block WHERE first_position <= ?"
                        " ORDER BY first_position DESC, height DESC LIMIT 1"),
      select_headers_(*database_,
                      "SELECT height, id, sealed FROM block WHERE height >= ? ORDER BY height"
                      " LIMIT ?"),
      select_stale_(*database_, "SELECT sealed, reason FROM stale ORDER BY number"),
      select_tile_(*database_, "SELECT hashes FROM tile WHERE level = ? AND number = ?"),
      select_signatures_(*database_, kSelectSignatures),
      select_members_(*database_, kSelectMembers),
      select_history_(*database_, "SELECT node FROM history_node WHERE place = ?"),
      select_changes_(*database_, kSelectMemberChanges),
      select_signed_(*database_,
                     "SELECT height FROM signature WHERE height >= ? ORDER BY height LIMIT 1") {}

TipInfo ReadConnection::tip() {
  Statement::Rows rows = select_tip_.query();
  if (!rows.next()) throw StoreFailure("the database is damaged: there is no block at all");
  TipInfo tip;
  tip.height.value = rows.number(0);
  tip.id = rows.fixed<chain::BlockId>(1);
  tip.sealed = or_failure(decode_sealed(rows.bytes(2), tip.id, tip.height));
  tip.log_size = tip.sealed.header.log_size;
  for (const chain::HistoryNode& peak : or_failure(unpack_history(rows.bytes(3))))
    tip.total_work = chain::saturating_add(tip.total_work, peak.work);
  return tip;
}

Result<EventLookup> ReadConnection::event(const chain::EventKey& key) {
  EventLookup lookup;
  Statement::Rows rows = select_variants_.query(key_prefix(key));
  while (rows.next()) {
    const bool is_placed = !rows.is_null(2);
    const auto state = is_placed ? EventLookup::State::kCompleted : EventLookup::State::kRejected;
    if (!is_better(state, lookup.state)) continue;
    auto event = settled_body(rows.number(0));
    if (!event) return tl::unexpected<chain::Error>(event.error());
    if (key_prefix(event->facts.key) != key_prefix(key))
      return damaged("the body stored for event " + to_hex(key) + " is of another event");
    if (event->facts.key != key) continue;
    lookup = EventLookup{state, std::move(*event), {}, {}, {}, {}};
    lookup.height = chain::Height{rows.number(1)};
    lookup.version = chain::StreamVersion{rows.integer(3)};
    if (is_placed) lookup.position = chain::Position{rows.number(2)};
    if (!is_placed) lookup.rejected = static_cast<chain::RejectionReason>(rows.integer(4));
  }
  if (lookup.position)
    if (auto checked = Leaves(select_tile_).check(lookup.event->facts, *lookup.position); !checked)
      return tl::unexpected<chain::Error>(checked.error());
  return lookup;
}

Result<chain::HeldEvent> ReadConnection::settled_body(std::uint64_t arrival) {
  Statement::Rows rows = select_body_.query(arrival);
  if (!rows.next())
    return damaged(fmt::format("the body of the event with arrival number {} is missing", arrival));
  Result<chain::HeldEvent> event = checked_body(rows, 1, 2);
  if (event && mark_of(event->facts.commitment) != rows.bytes(0))
    return damaged("the stored body of event " + to_hex(event->facts.key) +
                   " does not hash to what was put");
  return event;
}

Result<std::vector<PlacedEvent>> ReadConnection::stream(const chain::StreamKey& stream,
                                                        chain::StreamVersion from,
                                                        std::size_t limit) {
  const auto first = static_cast<std::uint64_t>(std::max<std::int64_t>(from.value, 0));
  auto arrivals = stream_arrivals(stream, first, std::min(limit, kReadItemsMax));
  if (!arrivals) return tl::unexpected<chain::Error>(arrivals.error());

  std::vector<PlacedEvent> events;
  std::size_t bytes = 0;
  auto version = static_cast<std::int64_t>(first);
  Leaves leaves(select_tile_);
  for (const std::uint64_t arrival : *arrivals) {
    Result<PlacedEvent> placed = placed_event(arrival, leaves);
    if (!placed) return tl::unexpected<chain::Error>(placed.error());
    if (placed->event.facts.stream != stream || placed->version.value != version++)
      return damaged("the index of stream " + to_hex(stream) + " names an event of another place");
    bytes += placed->event.body.size();
    events.push_back(std::move(*placed));
    if (bytes >= kReadBytesMax) break;
  }
  return events;
}

Result<std::vector<std::uint64_t>> ReadConnection::stream_arrivals(const chain::StreamKey& stream,
                                                                   std::uint64_t from,
                                                                   std::size_t limit) {
  std::vector<std::uint64_t> arrivals;
  Statement::Rows rows = select_chunks_.query(stream, from);
  while (arrivals.size() < limit && rows.next()) {
    Result<std::vector<std::uint64_t>> chunk = unpack_arrivals(rows.bytes(1));
    if (!chunk) return chunk;
    const std::uint64_t first = rows.number(0);
    std::size_t at = from > first ? from - first : 0;
    for (; at < chunk->size() && arrivals.size() < limit; ++at) arrivals.push_back((*chunk)[at]);
  }
  return arrivals;
}

chain::StreamVersion ReadConnection::stream_version(const chain::StreamKey& stream) {
  Statement::Rows rows = select_last_chunk_.query(stream);
  if (!rows.next()) return chain::kEmptyStream;
  return {rows.integer(0) + static_cast<std::int64_t>(count_arrivals(rows.bytes(1))) - 1};
}

Result<std::vector<PlacedEvent>> ReadConnection::log(chain::Position from, std::size_t limit) {
  std::vector<PlacedEvent> events;
  limit = std::min(limit, kReadItemsMax);
  const std::uint64_t size = tip().log_size;
  std::size_t bytes = 0;
  for (std::uint64_t at = from.value; at < size && events.size() < limit && bytes < kReadBytesMax;
       at = from.value + events.size()) {
    chain::Height height;
    {
      Statement::Rows rows = select_height_at_.query(at);
      if (!rows.next()) return damaged("the index of blocks by position has a gap");
      height.value = rows.number(0);
    }
    const Result<BlockCache::Shared> stored = cached_block(height);
    if (!stored) return tl::unexpected<chain::Error>(stored.error());
    if (auto added = append_entries(**stored, at, limit, bytes, events); !added)
      return tl::unexpected<chain::Error>(added.error());
  }
  return events;
}

Result<void> ReadConnection::append_entries(const StoredBlock& stored, std::uint64_t from,
                                            std::size_t limit, std::size_t& bytes,
                                            std::vector<PlacedEvent>& events) {
  const std::vector<chain::EntryRef>& entries = stored.block.content.entries;
  if (from - stored.first_position >= entries.size())
    return damaged(fmt::format("no block has the event at position {}", from));
  for (std::uint64_t at = from - stored.first_position;
       at < entries.size() && events.size() < limit && bytes < kReadBytesMax; ++at) {
    const chain::EntryRef& entry = entries[at];
    const chain::Position position{stored.first_position + at};
    Statement::Rows rows = select_entry_.query(key_prefix(entry.key), position);
    if (!rows.next()) return damaged("the body of event " + to_hex(entry.key) + " is missing");
    Result<chain::HeldEvent> event = checked_body(rows, 0, 1);
    if (!event) return tl::unexpected<chain::Error>(event.error());
    if (event->facts.key != entry.key || event->facts.commitment != entry.commitment)
      return damaged("the stored body of event " + to_hex(entry.key) +
                     " does not hash to its commitment");
    bytes += event->body.size();
    events.push_back({std::move(*event), position, chain::StreamVersion{rows.integer(2)},
                      stored.block.sealed.header.height});
  }
  return {};
}

Result<StoredBlock> ReadConnection::block(chain::Height height) {
  // Not from the cache: what goes to other nodes is read and hashed again.
  Statement::Rows rows = select_block_.query(height);
  if (!rows.next()) return no_block(height);
  return decode_block(rows, height);
}

Result<std::vector<chain::SealedHeader>> ReadConnection::headers(chain::Height from,
                                                                 std::size_t limit) {
  std::vector<chain::SealedHeader> headers;
  Statement::Rows rows = select_headers_.query(from, std::uint64_t{std::min(limit, kReadItemsMax)});
  while (rows.next()) {
    const chain::Height height{rows.number(0)};
    auto sealed = decode_sealed(rows.bytes(2), rows.fixed<chain::BlockId>(1), height);
    if (!sealed) return tl::unexpected<chain::Error>(sealed.error());
    headers.push_back(std::move(*sealed));
  }
  return headers;
}

std::vector<StaleBlock> ReadConnection::stale() {
  std::vector<StaleBlock> blocks;
  Statement::Rows rows = select_stale_.query();
  while (rows.next())
    blocks.push_back(
        {or_failure(chain::decode_sealed_header(rows.bytes(0))), std::string(rows.bytes(1))});
  return blocks;
}

Result<chain::MembersRef> ReadConnection::members(chain::Height height) {
  return decode_members(select_members_.query(height.value));
}

chain::Certificate ReadConnection::certificate(chain::Height height) {
  return read_signatures(select_signatures_.query(height.value));
}

Result<chain::Hash> ReadConnection::tree_hash(std::uint8_t level, std::uint64_t index) {
  Statement::Rows rows = select_tile_.query(int{level}, index / kTileHashes);
  const std::size_t offset = index % kTileHashes * chain::Hash::kSize;
  const chain::ByteView tile = rows.next() ? rows.bytes(0) : chain::ByteView();
  if (offset + chain::Hash::kSize > tile.size())
    return chain::fail(ErrorCode::kNotFound,
                       fmt::format("the log tree has no stored hash at level {}, index {}; ask "
                                   "below the log's size",
                                   level, index));
  return *chain::Hash::from(tile.substr(offset, chain::Hash::kSize));
}

Result<chain::HistoryNode> ReadConnection::history_node(std::uint64_t number) {
  Statement::Rows rows = select_history_.query(number);
  if (!rows.next())
    return chain::fail(ErrorCode::kNotFound,
                       fmt::format("the history has no node {}; ask below the tip", number));
  auto node = chain::decode_history_node(rows.bytes(0));
  if (!node) return damaged(fmt::format("node {} of the history is damaged", number));
  return node;
}

std::vector<chain::Height> ReadConnection::member_changes() {
  return read_heights(select_changes_.query());
}

std::optional<chain::Height> ReadConnection::next_signed(chain::Height from) {
  Statement::Rows rows = select_signed_.query(from);
  if (!rows.next()) return std::nullopt;
  return chain::Height{rows.number(0)};
}

Result<chain::HeldEvent> ReadConnection::checked_body(const Statement::Rows& rows, int salt,
                                                      int body) {
  Result<chain::HeldEvent> event =
      chain::hold_event(rows.fixed<chain::Salt>(salt), chain::Bytes(rows.bytes(body)), limits_);
  if (!event) return damaged("a stored body is damaged: " + event.error().message);
  return event;
}

Result<PlacedEvent> ReadConnection::placed_event(std::uint64_t arrival, Leaves& leaves) {
  Statement::Rows rows = select_placed_.query(arrival);
  if (!rows.next() || rows.is_null(2))
    return damaged(fmt::format("the event with arrival number {} is missing", arrival));
  Result<chain::HeldEvent> event = checked_body(rows, 0, 1);
  if (!event) return tl::unexpected<chain::Error>(event.error());
  PlacedEvent placed{std::move(*event), chain::Position{rows.number(2)},
                     chain::StreamVersion{rows.integer(3)}, chain::Height{rows.number(4)}};
  if (auto checked = leaves.check(placed.event.facts, placed.position); !checked)
    return tl::unexpected<chain::Error>(checked.error());
  return placed;
}

Result<BlockCache::Shared> ReadConnection::cached_block(chain::Height height) {
  if (auto known = blocks_.find(height)) return known;
  Result<StoredBlock> stored = block(height);
  if (!stored) return tl::unexpected<chain::Error>(stored.error());
  const auto shared = std::make_shared<const StoredBlock>(std::move(*stored));
  blocks_.put(shared);
  return shared;
}

}  // namespace eventchain::store
