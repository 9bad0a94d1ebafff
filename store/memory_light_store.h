#pragma once

#include <map>
#include <vector>

#include "chain/genesis.h"
#include "store/light_store.h"

namespace eventchain::store {

// A light member's store without a disk, for tests and the simulator. Writes are allowed inside a
// turn only, commit() makes them durable, and crash() takes back whatever the open turn changed.
// The object stands for the disk, so it outlives the node. One thread; memory grows with the chain.
class MemoryLightStore : public LightStore {
 public:
  explicit MemoryLightStore(const chain::Genesis& genesis);

  Recovered recover() override;
  void append(const LightRun& run) override;
  Turns& turns() override { return turns_; }

  void crash() { turns_.roll_back(); }
  // Below the tip of the last commit; not genesis.
  [[nodiscard]] const chain::LightBlock& block(chain::Height height) const {
    return durable_.blocks.at(height.value - 1).block;
  }
  [[nodiscard]] chain::Height durable_height() const {
    return chain::Height{durable_.blocks.size()};
  }
  // Of the tip; empty at genesis.
  [[nodiscard]] const chain::Certificate& certificate() const { return durable_.certificate; }
  // For tests of what a damaged disk leads to. Pre: there is a block.
  chain::LightBlock& damage_tip() { return durable_.blocks.back().block; }

 private:
  struct Content {
    std::vector<LightRun::Item> blocks;  // of height 1, 2, ..
    std::vector<chain::HistoryNode> history_before;
    chain::Certificate certificate;
    std::map<chain::Height, chain::MembersRef> members;  // by the block that made them
  };
  class MemoryTurns : public Turns {
   public:
    explicit MemoryTurns(MemoryLightStore& store) : store_(store) {}
    void begin() override;
    void commit() override;
    void roll_back();
    [[nodiscard]] bool is_open() const { return is_open_; }

   private:
    MemoryLightStore& store_;
    bool is_open_ = false;
  };

  void write(LightRun run);

  const chain::Genesis genesis_;
  Content durable_;
  std::vector<LightRun> open_;  // of the turn
  MemoryTurns turns_{*this};
};

}  // namespace eventchain::store
