#include "store/sqlite/block_writer.h"

#include <algorithm>
#include <map>
#include <utility>

#include "chain/hash.h"
#include "store/sqlite/block_rows.h"
#include "store/sqlite/columns.h"

namespace eventchain::store {

namespace {

constexpr std::uint64_t kTileHashes = 256;
// A restart looks at this many placed events at most before it comes to the pending ones.
constexpr std::size_t kFloorEvery = 4096;

}  // namespace

BlockWriter::BlockWriter(SqliteTurn& turn, StreamVersions& versions, PendingIndex& pending)
    : versions_(versions),
      pending_(pending),
      select_variant_(turn.database(),
                      from_keys("SELECT e.arrival FROM $KEYS k JOIN event e"
                                " ON e.arrival = k.arrival WHERE k.prefix = ?1 AND e.mark = ?2")
                          .c_str()),
      insert_key_(turn.database(), "INSERT INTO recent_key VALUES (?, ?)"),
      move_keys_(turn.database(),
                 "INSERT INTO event_key SELECT prefix, arrival FROM recent_key"
                 " WHERE prefix BETWEEN ? AND ?"),
      delete_keys_(turn.database(), "DELETE FROM recent_key WHERE prefix BETWEEN ? AND ?"),
      // A variant that was rejected before may still get its place, but never the other way round.
      place_(turn.database(), "INSERT OR REPLACE INTO placement VALUES (?, ?, ?, ?, NULL)"),
      reject_(turn.database(),
              "INSERT INTO placement VALUES (?1, ?2, NULL, ?3, ?4) ON CONFLICT (arrival) DO UPDATE"
              " SET height = ?2, version = ?3, reason = ?4 WHERE position IS NULL"),
      insert_chunk_(turn.database(), "INSERT INTO stream_chunk VALUES (?, ?, ?)"),
      select_tile_(turn.database(), "SELECT hashes FROM tile WHERE level = ? AND number = ?"),
      replace_tile_(turn.database(),
                    "INSERT INTO tile VALUES (?1, ?2, ?3) ON CONFLICT (level, number)"
                    " DO UPDATE SET hashes = ?3"),
      insert_block_(turn.database(), "INSERT INTO block VALUES (?, ?, ?, ?, ?, ?)"),
      insert_history_(turn.database(), "INSERT INTO history_node VALUES (?, ?)"),
      update_peaks_(turn.database(), "UPDATE peaks SET log = ?, history = ?"),
      update_progress_(turn.database(), "UPDATE progress SET applied = ?"),
      delete_templates_(turn.database(), "DELETE FROM template WHERE height <= ?"),
      select_floor_(turn.database(), "SELECT pending_floor FROM progress"),
      select_first_pending_(turn.database(),
                            "SELECT e.arrival FROM event e"
                            " LEFT JOIN placement p ON p.arrival = e.arrival"
                            " WHERE e.arrival >= ? AND p.arrival IS NULL"
                            " ORDER BY e.arrival LIMIT 1"),
      select_last_arrival_(turn.database(), "SELECT max(arrival) FROM event"),
      update_floor_(turn.database(), "UPDATE progress SET pending_floor = ?"),
      insert_members_(turn.database(), "INSERT INTO member_set VALUES (?, ?, ?)") {
  Statement select(turn.database(), "SELECT max(place) FROM history_node");
  Statement::Rows rows = select.query();
  if (rows.next() && !rows.is_null(0)) next_history_place_ = rows.number(0) + 1;
}

void BlockWriter::apply(const BlockApplication& application) {
  const std::vector<chain::EntryRef>& entries = application.block.content.entries;
  EC_ASSERT(entries.size() == application.facts.size(), "one facts for each entry");
  EC_ASSERT(entries.size() == application.versions.size(), "one version for each entry");
  std::vector<Outcome> all = outcomes(application);
  const std::size_t placed = all.size();
  write_streams(application, all);
  write_keys(application.block.sealed.header.height);
  write_placements(application, std::move(all));
  write_tiles(application.tree_hashes);
  write_block(application);
  for (const chain::HistoryNode& node : application.history_nodes)
    insert_history_.run(next_history_place_++, chain::encode_history_node(node));
  update_peaks_.run(pack_hashes(application.log_peaks), pack_history(application.history_peaks));
  update_progress_.run(application.applied);
  if (application.members) {
    const chain::Bytes encoded = chain::encode_member_set(*application.members);
    insert_members_.run(application.block.sealed.header.height, chain::sha256(encoded), encoded);
  }
  delete_templates_.run(application.block.sealed.header.height);
  move_pending_floor(placed);
}

// From now on the event is in the tables only.
std::uint64_t BlockWriter::take_arrival(const chain::EntryRef& entry) {
  if (const auto pending = pending_.take(entry)) {
    new_keys_.emplace_back(key_prefix(entry.key), *pending);
    return *pending;
  }
  // It was rejected before, and its key is known since then.
  Statement::Rows rows = select_variant_.query(key_prefix(entry.key), mark_of(entry.commitment));
  EC_ASSERT(rows.next(), "a block is applied only when its events are held");
  return rows.number(0);
}

// Of the entries in their order, then of the rejections.
std::vector<BlockWriter::Outcome> BlockWriter::outcomes(const BlockApplication& application) {
  const chain::BlockContent& content = application.block.content;
  std::vector<Outcome> all;
  all.reserve(content.entries.size() + content.annex.size());
  for (std::size_t i = 0; i < content.entries.size(); ++i)
    all.push_back({take_arrival(content.entries[i]), application.first_position + i,
                   application.versions[i].value, std::nullopt});
  for (const chain::AnnexItem& item : content.annex) {
    const auto* rejection = std::get_if<chain::Rejection>(&item);
    if (rejection == nullptr) continue;
    all.push_back({take_arrival({rejection->key, rejection->commitment}), 0,
                   rejection->stream_version.value, rejection->reason});
  }
  return all;
}

// Keys are spread over the whole index, so each would dirty a page of its own once the index is
// large. They go to a small index first, and with every block a sixteenth of all keys, in turn,
// moves on to the large one: many keys to a page.
void BlockWriter::write_keys(chain::Height height) {
  std::sort(new_keys_.begin(), new_keys_.end());
  for (const auto& [prefix, arrival] : new_keys_) insert_key_.run(prefix, arrival);
  new_keys_.clear();
  constexpr unsigned kPartBits = 4;
  constexpr std::uint64_t kParts = std::uint64_t{1} << kPartBits;
  constexpr std::uint64_t kPartMask = ~std::uint64_t{0} >> kPartBits;
  const std::uint64_t part = height.value % kParts << (64 - kPartBits);
  const auto first = static_cast<std::int64_t>(part);
  const auto last = static_cast<std::int64_t>(part | kPartMask);
  move_keys_.run(first, last);
  delete_keys_.run(first, last);
}

void BlockWriter::write_placements(const BlockApplication& application,
                                   std::vector<Outcome> outcomes) {
  const chain::Height height = application.block.sealed.header.height;
  std::sort(outcomes.begin(), outcomes.end(),
            [](const Outcome& a, const Outcome& b) { return a.arrival < b.arrival; });
  for (const Outcome& outcome : outcomes) {
    if (outcome.rejected)
      reject_.run(outcome.arrival, height, outcome.version, static_cast<int>(*outcome.rejected));
    else
      place_.run(outcome.arrival, height, outcome.position, outcome.version);
  }
}

void BlockWriter::write_streams(const BlockApplication& application,
                                const std::vector<Outcome>& outcomes) {
  struct Chunk {
    std::int64_t first_version = 0;
    std::vector<std::uint64_t> arrivals;
  };
  std::map<chain::StreamKey, Chunk> chunks;
  for (std::size_t i = 0; i < application.facts.size(); ++i) {
    Chunk& chunk = chunks[application.facts[i].stream];
    if (chunk.arrivals.empty()) chunk.first_version = application.versions[i].value;
    chunk.arrivals.push_back(outcomes[i].arrival);
  }
  for (const auto& [stream, chunk] : chunks) {
    insert_chunk_.run(stream, chunk.first_version, pack_arrivals(chunk.arrivals));
    const auto added = static_cast<std::int64_t>(chunk.arrivals.size());
    versions_.put(stream, chain::StreamVersion{chunk.first_version + added - 1});
  }
}

void BlockWriter::write_tiles(const std::vector<chain::TreeHash>& hashes) {
  std::map<std::pair<std::uint8_t, std::uint64_t>, chain::Bytes> tiles;
  for (const chain::TreeHash& hash : hashes) {
    const std::uint64_t number = hash.index / kTileHashes;
    const std::size_t offset = hash.index % kTileHashes * chain::Hash::kSize;
    const auto [tile, is_new] = tiles.try_emplace({hash.level, number});
    if (is_new && offset != 0) {
      Statement::Rows rows = select_tile_.query(int{hash.level}, number);
      if (rows.next()) tile->second = chain::Bytes(rows.bytes(0));
    }
    if (tile->second.size() != offset)
      throw StoreFailure(
          "the database is damaged: the log tree has a gap; remove this node's database and let it "
          "fetch the chain from the others");
    tile->second += hash.hash.view();
  }
  for (const auto& [place, bytes] : tiles) replace_tile_.run(int{place.first}, place.second, bytes);
}

void BlockWriter::write_block(const BlockApplication& application) {
  const chain::Block& block = application.block;
  const chain::Bytes content = chain::encode_content(block.content);
  insert_block_.run(block.sealed.header.height, application.id, application.first_position,
                    chain::sha256(content), chain::encode_sealed_header(block.sealed), content);
}

void BlockWriter::move_pending_floor(std::size_t placed) {
  placed_since_floor_ += placed;
  if (placed_since_floor_ < kFloorEvery) return;
  placed_since_floor_ = 0;
  std::uint64_t floor = 0;
  {
    Statement::Rows rows = select_floor_.query();
    if (rows.next()) floor = rows.number(0);
  }
  {
    Statement::Rows rows = select_first_pending_.query(floor);
    if (rows.next()) {
      floor = rows.number(0);
    } else {
      Statement::Rows last = select_last_arrival_.query();
      if (last.next()) floor = last.number(0) + 1;
    }
  }
  update_floor_.run(floor);
}

}  // namespace eventchain::store
