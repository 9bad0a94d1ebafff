#pragma once

#include <cstdint>

// Mistakes that can be built into the program on purpose, one at a time, to show that the
// simulator finds them (tests/sim/find_planted). Where nothing is planted, which is every build but
// that of the CMake option EVENTCHAIN_PLANT_MISTAKES, is_planted() is a constant and its branches
// are not compiled in.
namespace eventchain::chain {

enum class Mistake : std::uint8_t {
  kNone,
  kFsyncDropped,               // a commit returns and a crash takes the turn back
  kQuorumOffByOne,             // durable at one copy less than a majority
  kAppliedOutsideTransaction,  // the applied index outlives a turn that was lost
  kStaleReadIndex,             // the leader answers a read without asking the voters
  kDedupInMemory,              // that a key has a position is forgotten by a restart
  kVoteNotPersisted,           // the term is stored and the vote in it is not
  kPreVoteOff,                 // whoever was cut off stands for election at once
  kAcknowledgedBeforeSync,     // a voter says that it holds bodies before they are synced
  kSignedBeforeApply,          // a signature on a block leaves before the block is synced
  kAnswerBeforeSync,           // a client is told of what the next sync makes durable
  kSlotReused,                 // two members mine in one slot
};

#ifdef EVENTCHAIN_PLANT_MISTAKES
// Set before the first node is made, and never again.
inline Mistake planted_mistake = Mistake::kNone;
inline bool is_planted(Mistake mistake) {
  return planted_mistake == mistake;
}
#else
constexpr bool is_planted(Mistake) {
  return false;
}
#endif

}  // namespace eventchain::chain
