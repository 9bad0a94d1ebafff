#include "store/sqlite/sqlite_light_store.h"

#include <utility>

#include "chain/hash.h"
#include "store/sqlite/block_rows.h"
#include "store/sqlite/columns.h"
#include "store/sqlite/light_schema.h"
#include "store/sqlite/own_disk.h"
#include "store/sqlite/turn.h"

namespace eventchain::store {

using chain::Result;

// In the order of construction: the lock outlives the connection, the connection its statements.
struct SqliteLightStore::State {
  State(OwnDisk own, const chain::Genesis& of_chain, const StoreOptions& options)
      : lock(std::move(own.lock)),
        turn(std::move(own.database), options.wal_bytes_max),
        genesis(of_chain),
        id(own.id),
        select_tip(turn.database(),
                   "SELECT height, id, sealed, annex, (SELECT history FROM below_tip) FROM block"
                   " ORDER BY height DESC LIMIT 1"),
        select_members(turn.database(), kSelectMembers),
        select_signatures(turn.database(), "SELECT slot, signature FROM signature ORDER BY slot"),
        insert_block(turn.database(), "INSERT INTO block VALUES (?, ?, ?, ?)"),
        insert_members(turn.database(), "INSERT INTO member_set VALUES (?, ?, ?)"),
        update_history(turn.database(), "UPDATE below_tip SET history = ?"),
        delete_signatures(turn.database(), "DELETE FROM signature"),
        insert_signature(turn.database(), "INSERT INTO signature VALUES (?, ?)") {}

  LockFile lock;
  SqliteTurn turn;
  const chain::Genesis genesis;
  const StoreId id;
  Statement select_tip, select_members, select_signatures;
  Statement insert_block, insert_members, update_history, delete_signatures, insert_signature;
};

SqliteLightStore::SqliteLightStore(std::unique_ptr<State> state) : state_(std::move(state)) {}

SqliteLightStore::~SqliteLightStore() = default;

Turns& SqliteLightStore::turns() {
  return state_->turn;
}

StoreId SqliteLightStore::id() const {
  return state_->id;
}

LightStore::Recovered SqliteLightStore::recover() {
  State& own = *state_;
  own.turn.before_read();
  StoredLightTip tip;
  {
    Statement::Rows rows = own.select_tip.query();
    if (!rows.next()) throw StoreFailure("the database is damaged: there is no block at all");
    tip.id = rows.fixed<chain::BlockId>(1);
    tip.block.sealed = or_failure(decode_sealed(rows.bytes(2), tip.id, {rows.number(0)}));
    tip.block.annex = or_failure(chain::decode_content(rows.bytes(3))).annex;
    tip.history_before = or_failure(unpack_history(rows.bytes(4)));
  }
  const chain::Height height = tip.block.sealed.header.height;
  tip.members = or_failure(decode_members(own.select_members.query(height.value)));
  Recovered recovered;
  recovered.state = or_failure(restore_light_state(own.genesis, tip));
  recovered.members_of_tip = tip.members;
  recovered.certificate = read_signatures(own.select_signatures.query());
  return recovered;
}

void SqliteLightStore::append(const LightRun& run) {
  State& own = *state_;
  own.turn.before_write();
  for (const LightRun::Item& item : run.items) {
    const chain::Height height = item.block.sealed.header.height;
    own.insert_block.run(height, item.id, chain::encode_sealed_header(item.block.sealed),
                         chain::encode_content({{}, item.block.annex}));
    if (!item.members) continue;
    const chain::Bytes encoded = chain::encode_member_set(*item.members);
    own.insert_members.run(height, chain::sha256(encoded), encoded);
  }
  own.update_history.run(pack_history(run.history_before));
  own.delete_signatures.run();
  for (const chain::SlotSignature& one : run.certificate)
    own.insert_signature.run(std::uint64_t{one.slot.value}, one.signature);
}

Result<std::unique_ptr<SqliteLightStore>> open_light_store(const std::string& path,
                                                           const chain::Genesis& genesis,
                                                           const StoreId& id,
                                                           const StoreOptions& options) {
  auto own = open_own_disk(path, genesis, id, options, kLightSchema);
  if (!own) return tl::unexpected<chain::Error>(own.error());
  try {
    auto state = std::make_unique<SqliteLightStore::State>(std::move(*own), genesis, options);
    return std::unique_ptr<SqliteLightStore>(new SqliteLightStore(std::move(state)));
  } catch (const StoreFailure& failure) {
    return chain::fail(chain::ErrorCode::kIo, "cannot open " + path + ": " + failure.what());
  }
}

}  // namespace eventchain::store
