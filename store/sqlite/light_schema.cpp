#include "store/sqlite/light_schema.h"

#include <array>

#include "chain/block.h"
#include "chain/hash.h"
#include "chain/rules.h"
#include "store/sqlite/statement.h"

namespace eventchain::store {

namespace {

// A step that was released is never changed.
constexpr std::array<const char*, kLightSchemaVersion> kSteps = {R"sql(
CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE block(
  height INTEGER PRIMARY KEY,
  id BLOB NOT NULL, sealed BLOB NOT NULL, annex BLOB NOT NULL);
CREATE TABLE member_set(height INTEGER PRIMARY KEY, hash BLOB NOT NULL, encoded BLOB NOT NULL);
CREATE TABLE below_tip(one INTEGER PRIMARY KEY CHECK (one = 1), history BLOB NOT NULL);
CREATE TABLE signature(slot INTEGER PRIMARY KEY, signature BLOB NOT NULL);
INSERT INTO below_tip VALUES (1, x'');
)sql"};

void fill(SQLite::Database& database, const chain::Genesis& genesis, const StoreId& id,
          std::int64_t, bool is_new) {
  if (!is_new) return;
  const chain::HeaderState state = chain::initial_header_state(genesis);
  Statement(database, "INSERT INTO block VALUES (0, ?, ?, ?)")
      .run(state.tip, chain::encode_sealed_header(state.tip_header), chain::encode_content({}));
  const chain::Bytes encoded = chain::encode_member_set(*state.members);
  Statement(database, "INSERT INTO member_set VALUES (0, ?, ?)")
      .run(chain::sha256(encoded), encoded);
  Statement(database, "INSERT INTO meta VALUES ('chain', ?)").run(state.chain);
  Statement(database, "INSERT INTO meta VALUES ('store', ?)").run(id);
}

}  // namespace

const Schema kLightSchema{kLightApplicationId,
                          "a light member of EventChain",
                          1,
                          kLightSchemaVersion,
                          kSteps.data(),
                          &fill};

}  // namespace eventchain::store
