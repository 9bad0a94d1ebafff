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
  EC_ASSERT(turns_.is_open(), "a start is a turn");
  if (open_.blocks.empty()) {
    chain::HeaderState state = chain::initial_header_state(genesis_);
    const chain::MembersRef members = state.members;
    return {std::move(state), members, {}};
  }
  const LightRun::Item& tip = open_.blocks.back();
  const chain::MembersRef members =
      std::prev(open_.members.lower_bound(chain::Height{open_.blocks.size()}))->second;
  auto state = restore_light_state(genesis_, {tip.block, tip.id, open_.history_before, members});
  if (!state) throw StoreFailure(state.error().message);
  return {std::move(*state), members, open_.certificate};
}

void MemoryLightStore::append(const LightRun& run) {
  EC_ASSERT(turns_.is_open(), "a change outside a turn");
  for (const LightRun::Item& item : run.items) {
    open_.blocks.push_back(item);
    const chain::Height height{open_.blocks.size()};
    EC_ASSERT(item.block.sealed.header.height == height, "blocks come in the order of heights");
    if (item.members) open_.members.emplace(height, item.members);
  }
  open_.history_before = run.history_before;
  open_.certificate = run.certificate;
}

void MemoryLightStore::MemoryTurns::begin() {
  EC_ASSERT(!is_open_, "turns do not nest");
  store_.open_ = store_.durable_;
  is_open_ = true;
}

void MemoryLightStore::MemoryTurns::commit() {
  EC_ASSERT(is_open_, "a commit without begin()");
  store_.durable_ = store_.open_;
  is_open_ = false;
}

}  // namespace eventchain::store
