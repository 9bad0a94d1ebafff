#include "store/memory_light_store.h"

#include <memory>
#include <utility>

#include "chain/result.h"

namespace eventchain::store {

MemoryLightStore::MemoryLightStore(const chain::Genesis& genesis) : genesis_(genesis) {
  durable_.members.emplace(chain::Height{0},
                           std::make_shared<const chain::MemberSet>(chain::first_members(genesis)));
}

LightStore::Recovered MemoryLightStore::recover() {
  EC_ASSERT(turns_.is_open() && open_.empty(), "a start is a turn, and begins with this");
  if (durable_.blocks.empty()) {
    chain::HeaderState state = chain::initial_header_state(genesis_);
    const chain::MembersRef members = state.members;
    return {std::move(state), members, {}};
  }
  const LightRun::Item& tip = durable_.blocks.back();
  const chain::MembersRef members =
      std::prev(durable_.members.lower_bound(chain::Height{durable_.blocks.size()}))->second;
  auto state = restore_light_state(genesis_, {tip.block, tip.id, durable_.history_before, members});
  if (!state) throw StoreFailure(state.error().message);
  return {std::move(*state), members, durable_.certificate};
}

void MemoryLightStore::append(const LightRun& run) {
  EC_ASSERT(turns_.is_open(), "a change outside a turn");
  open_.push_back(run);
}

void MemoryLightStore::write(LightRun run) {
  for (LightRun::Item& item : run.items) {
    const chain::Height height{durable_.blocks.size() + 1};
    EC_ASSERT(item.block.sealed.header.height == height, "blocks come in the order of heights");
    if (item.members) durable_.members.emplace(height, item.members);
    durable_.blocks.push_back(std::move(item));
  }
  durable_.history_before = std::move(run.history_before);
  durable_.certificate = std::move(run.certificate);
}

void MemoryLightStore::MemoryTurns::begin() {
  EC_ASSERT(!is_open_, "turns do not nest");
  is_open_ = true;
}

void MemoryLightStore::MemoryTurns::commit() {
  EC_ASSERT(is_open_, "a commit without begin()");
  for (LightRun& run : std::exchange(store_.open_, {})) store_.write(std::move(run));
  is_open_ = false;
}

void MemoryLightStore::MemoryTurns::roll_back() {
  store_.open_.clear();
  is_open_ = false;
}

}  // namespace eventchain::store
