#pragma once

#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "store/chain_reader.h"
#include "store/chain_store.h"
#include "store/undo_log.h"

namespace eventchain::store {

// The chain's part of MemoryStore: see there for lifecycle and threading. Plain containers; every
// change leaves its inverse in the undo log.
class MemoryChain : public ChainStore {
 public:
  MemoryChain(const chain::Genesis& genesis, UndoLog& undo);

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
  chain::Certificate signatures(chain::Height height) override;
  chain::MembersRef members(chain::Height height) override;
  std::vector<chain::Height> member_changes() override;

 private:
  friend class MemoryStore;  // the readers' side looks into the same containers

  struct Held {
    chain::HeldEvent event;
    std::optional<chain::Position> position;
    std::optional<chain::RejectionReason> rejected;
    std::optional<chain::StreamVersion> version;
    std::optional<chain::Height> height;
    [[nodiscard]] bool is_pending() const { return !height.has_value(); }
  };

  void turn_begins();
  std::uint64_t arrival_of(const chain::EntryRef& entry) const;  // 0: not held
  // Changes the outcome of a held event.
  Held& outcome(const chain::EntryRef& entry);
  void place_entries(const BlockApplication& application);
  void note_rejections(const BlockApplication& application);
  void append_tree(const BlockApplication& application);
  void drop_templates(chain::Height until);

  template <class Value>
  void assign(Value& place, Value value) {
    undo_.add([&place, before = std::move(place)]() mutable { place = std::move(before); });
    place = std::move(value);
  }
  template <class Value>
  void append(std::vector<Value>& to, Value value) {
    undo_.add([&to] { to.pop_back(); });
    to.push_back(std::move(value));
  }

  UndoLog& undo_;
  const chain::Genesis genesis_;

  std::uint64_t next_arrival_ = 1;
  std::uint64_t first_arrival_of_turn_ = 1;
  std::set<chain::Commitment> dropped_in_turn_;  // and held before it
  std::size_t blocks_before_turn_ = 0;
  std::map<std::uint64_t, Held> events_;  // by arrival
  std::set<std::uint64_t> pending_;       // arrivals without an outcome
  std::unordered_map<chain::EventKey, std::vector<std::uint64_t>, chain::FixedBytesHash> by_key_;

  std::vector<StoredBlock> blocks_;  // by height, from genesis on
  std::unordered_map<chain::BlockId, chain::Height, chain::FixedBytesHash> heights_;
  std::vector<std::uint64_t> log_;  // arrival by position
  std::unordered_map<chain::StreamKey, std::vector<std::uint64_t>, chain::FixedBytesHash> streams_;
  std::map<std::uint8_t, std::vector<chain::Hash>> tree_;  // by level
  std::vector<chain::HistoryNode> history_nodes_;
  std::vector<chain::Hash> log_peaks_;
  std::vector<chain::HistoryNode> history_peaks_;
  consensus::LogIndex applied_;

  std::map<chain::TemplateHash, chain::Template> templates_;
  std::vector<StaleBlock> stale_;
  std::map<chain::Height, chain::Certificate> signatures_;
  std::map<chain::Height, chain::MembersRef> members_;  // by the block that made them
};

}  // namespace eventchain::store
