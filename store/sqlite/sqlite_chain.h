#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "store/chain_store.h"
#include "store/integrity.h"
#include "store/sqlite/block_writer.h"
#include "store/sqlite/pending_index.h"
#include "store/sqlite/turn.h"

namespace eventchain::store {

// The chain's part of SqliteStore: see there for lifecycle and threading. Events, templates and
// lookups; BlockWriter applies blocks.
class SqliteChain : public ChainStore {
 public:
  SqliteChain(SqliteTurn& turn, const chain::Genesis& genesis);

  bool is_placed(const chain::EventKey& key) override;
  chain::StreamVersion stream_version(const chain::StreamKey& stream) override;

  Recovered recover() override;
  std::uint64_t put_event(const chain::HeldEvent& event) override;
  std::vector<EventRecord> find_event(const chain::EventKey& key) override;
  bool holds(const chain::EntryRef& entry) override;
  chain::Result<chain::HeldEvent> load_event(const chain::EntryRef& entry) override;
  void drop_variant(const chain::EntryRef& entry) override;

  void put_template(const chain::Template& candidate) override;
  std::optional<chain::Template> find_template(const chain::TemplateHash& hash) override;
  void apply_block(const BlockApplication& application) override;
  void set_applied(consensus::LogIndex applied) override;
  chain::Result<chain::Block> block(chain::Height height) override;
  std::optional<chain::Height> height_of(const chain::BlockId& id) override;
  void put_stale(const StaleBlock& stale) override;
  void put_signature(chain::Height height, const chain::SlotSignature& signature) override;
  chain::MembersRef members(chain::Height height) override;
  std::vector<chain::Height> member_changes() override;
  chain::Certificate signatures(chain::Height height) override;

 private:
  // The body hashed again; `mark` tells a rotten one from what was put.
  chain::Result<chain::HeldEvent> checked_event(const Statement::Rows& rows, int mark, int salt,
                                                int body) const;
  StoredTip stored_tip();
  chain::Height last_certified();
  PendingIndex& pending();
  EventRecord record_of(const Statement::Rows& rows, const chain::EventKey& key) const;

  SqliteTurn& turn_;
  const chain::Genesis genesis_;
  const chain::EventLimits limits_;
  StreamVersions versions_;
  PendingIndex pending_;
  bool is_recovered_ = false;
  BlockWriter writer_;
  std::uint64_t next_arrival_ = 1;

  Statement insert_event_, delete_event_;
  Statement select_records_, select_known_, select_pending_, select_placed_;
  Statement select_variant_, select_variant_body_, select_body_;
  Statement select_last_chunk_;
  Statement insert_template_, select_template_;
  Statement update_applied_;
  Statement select_block_, select_height_;
  Statement insert_stale_;
  Statement insert_signature_, select_signatures_;
};

}  // namespace eventchain::store
