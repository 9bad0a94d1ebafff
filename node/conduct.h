#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "chain/types.h"

namespace eventchain::node {

// How peers behave, and what follows. A certificate lets a peer speak; it does not make it honest
// or its program correct. Each thing that a correct peer does not do costs it points, points fade
// with time, and a peer with too many is shunned: its link is closed, and for a while what it says
// is not listened to. That bounds the work which false messages cost. It does not bound true ones:
// sound events of a peer are held like anybody's. Owned by the node's core; one entry for each
// member.
class Conduct {
 public:
  static constexpr std::uint32_t kPointsMax = 100;
  static constexpr std::uint32_t kFadePerSecond = 10;
  static constexpr std::chrono::seconds kShunFor{30};

  // In points.
  enum class Fault : std::uint32_t {
    kBroken = kPointsMax,  // no correct program does it even once
    kWasteful = 5,         // now and then it can happen, as by a race
  };
  struct Record {
    std::uint64_t faults = 0;
    std::string last;  // what the last one was, for people
    std::optional<chain::Instant> shunned_until;
  };

  // True if the peer is to be hung up on now.
  bool fault(const chain::NodeId& peer, Fault fault, std::string what, chain::Instant now);
  [[nodiscard]] bool is_shunned(const chain::NodeId& peer, chain::Instant now) const;
  [[nodiscard]] const Record* find(const chain::NodeId& peer) const;

 private:
  struct Peer {
    Record record;
    std::uint32_t points = 0;
    chain::Instant as_of;
  };

  std::map<chain::NodeId, Peer> peers_;
};

}  // namespace eventchain::node
