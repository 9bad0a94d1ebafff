#pragma once

#include <chrono>
#include <functional>

#include "chain/pending_pool.h"
#include "chain/rules.h"

namespace eventchain::chain {

// In one block; the others come in the next. Each is some 100 to 600 octets of the template.
inline constexpr std::size_t kRejectionsMax = 4'032;
inline constexpr std::size_t kOrdersMax = 64;
static_assert(kRejectionsMax + kOrdersMax <= kBlockAnnexLimit);

struct AssemblerOptions {
  // An event whose expected version lies ahead waits this long before it is rejected.
  std::chrono::milliseconds expectation_wait{30'000};
};

// Tells whether two variants of one key have the same content (the bodies are in the store).
using SameContent = std::function<bool(const EventFacts& a, const EventFacts& b)>;

struct Assembly {
  Template made;
  ContentFacts facts;
  // Held variants of keys that are placed already with the same content: nothing to record.
  std::vector<Commitment> redundant;
  // Of each order handed in: nothing if it is in the block, else why not. Fewer than the orders if
  // the block had no room for more.
  std::vector<Result<void>> orders;
};

// Builds the template at tip + 1 from the pool in arrival order: places what fits, gives a waiting
// event its place as soon as its expectation is reached within the block, lists rejections. Pure:
// the same pool, state and times give the same bytes. `placed_facts` finds the facts of the
// variant that is already committed under a key (for kKeyTaken against redundant).
// `orders` change the member set, as far as the rules allow, in their order.
//   started: when work at this height began; time: now; both on the leader's block clock.
Assembly assemble(const ChainState& state, ChainView& view, const PendingPool& pool,
                  const SameContent& same_content,
                  const std::function<std::optional<EventFacts>(const EventKey&)>& placed_facts,
                  UnixMillis started, UnixMillis time, Instant now, const AssemblerOptions& options,
                  const std::vector<MemberOrder>& orders = {});

}  // namespace eventchain::chain
