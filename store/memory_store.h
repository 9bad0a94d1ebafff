#pragma once

#include <memory>

#include "store/chain_reader.h"
#include "store/chain_store.h"
#include "store/memory_chain.h"
#include "store/memory_log.h"
#include "store/memory_peers.h"
#include "store/undo_log.h"

namespace eventchain::store {

// The store without a disk, for tests and the simulator. It behaves as the one on disk does: writes
// are allowed inside a turn only, commit() makes them durable, and crash() takes back whatever the
// open turn changed. The object stands for the disk, so it outlives the node: after crash() the
// next node starts from it with recover().
//
// One thread. As a reader it must be asked between turns, because a reader never sees a turn in
// progress. Memory grows with the chain; nothing is dropped.
class MemoryStore : public Store, public ChainReader {
 public:
  explicit MemoryStore(const chain::Genesis& genesis);
  ~MemoryStore() override;

  ChainStore& chain() override { return chain_; }
  consensus::LogStore& raft() override { return raft_; }
  PeerMemory& peers() override { return peers_; }
  Turns& turns() override { return turns_; }

  // What a crash of the node or its host leaves: all committed turns and nothing else.
  void crash() { undo_.roll_back(); }
  // What holds() would say after a crash: the open turn does not count.
  [[nodiscard]] bool holds_durably(const chain::EntryRef& entry) const;
  // The tip that a crash would leave.
  [[nodiscard]] chain::Height durable_height() const;
  // Flips a bit of a stored body, as a bad disk would. Pre: the variant is held.
  void damage_body(const chain::EntryRef& entry);

  TipInfo tip() override;
  chain::Result<EventLookup> event(const chain::EventKey& key) override;
  chain::Result<std::vector<PlacedEvent>> stream(const chain::StreamKey& stream,
                                                 chain::StreamVersion from,
                                                 std::size_t limit) override;
  chain::StreamVersion stream_version(const chain::StreamKey& stream) override;
  chain::Result<std::vector<PlacedEvent>> log(chain::Position from, std::size_t limit) override;
  chain::Result<StoredBlock> block(chain::Height height) override;
  chain::Result<std::vector<chain::SealedHeader>> headers(chain::Height from,
                                                          std::size_t limit) override;
  std::vector<StaleBlock> stale() override;
  chain::Result<chain::MembersRef> members(chain::Height height) override;
  chain::Certificate certificate(chain::Height height) override;
  chain::Result<chain::Hash> tree_hash(std::uint8_t level, std::uint64_t index) override;
  chain::Result<chain::HistoryNode> history_node(std::uint64_t number) override;
  std::vector<chain::Height> member_changes() override;
  std::optional<chain::Height> next_signed(chain::Height from) override;

 private:
  class MemoryTurns : public Turns {
   public:
    MemoryTurns(UndoLog& undo, MemoryChain& chain) : undo_(undo), chain_(chain) {}
    void begin() override {
      undo_.begin();
      chain_.turn_begins();
    }
    void commit() override { undo_.commit(); }

   private:
    UndoLog& undo_;
    MemoryChain& chain_;
  };

  void assert_between_turns() const;
  chain::Result<std::vector<PlacedEvent>> placed(const std::vector<std::uint64_t>& arrivals,
                                                 std::uint64_t from, std::size_t limit) const;

  UndoLog undo_;
  MemoryChain chain_;
  MemoryLog raft_;
  MemoryPeers peers_;
  MemoryTurns turns_;
};

}  // namespace eventchain::store
