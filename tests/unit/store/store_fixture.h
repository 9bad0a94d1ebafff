#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chain/rng.h"
#include "chain/rules.h"
#include "store/chain_reader.h"
#include "store/chain_store.h"

// What the tests of the store share: a small constitution, events, blocks that obey the rules.
namespace eventchain::store::testing {

chain::Genesis small_genesis();
// The disk of its first voter.
chain::StoreId small_disk();

// An event named by a number, in a stream named by a number. Another `variant` has the same key
// and content but another salt, hence another commitment.
chain::HeldEvent event_of(std::uint64_t number, std::uint64_t stream, std::uint64_t variant = 0,
                          std::size_t data_bytes = 20);

inline chain::EntryRef ref(const chain::HeldEvent& event) {
  return {event.facts.key, event.facts.commitment};
}

struct Refused {
  chain::HeldEvent event;
  chain::RejectionReason reason = chain::RejectionReason::kExpectationExpired;
  chain::StreamVersion stream_version = chain::kEmptyStream;
};

// Makes the blocks that a committed chain would bring, without a store. Roots, positions, versions
// and peaks are the chain room's own; shares are not searched for, because the store does not check
// work.
class BlockMaker {
 public:
  explicit BlockMaker(const chain::Genesis& genesis) : state_(chain::initial_state(genesis)) {}

  BlockApplication next(const std::vector<chain::HeldEvent>& entries,
                        const std::vector<Refused>& rejections, consensus::LogIndex applied,
                        const std::vector<chain::MemberOrder>& orders = {});

  [[nodiscard]] const chain::ChainState& state() const { return state_; }

 private:
  chain::ChainState state_;
  std::map<chain::StreamKey, chain::StreamVersion> versions_;
};

// The template a block was made from.
chain::Template template_of(const chain::Block& block);

// One turn around `work`.
template <class Work>
void turn(Store& store, Work work) {
  store.turns().begin();
  work();
  store.turns().commit();
}

// Everything a store can tell, as text that two stores can be compared by. Arrival numbers are left
// out: only their order has a meaning across stores.
std::string describe(Store& store, const std::vector<chain::HeldEvent>& events);

}  // namespace eventchain::store::testing
