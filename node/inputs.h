#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "chain/event.h"
#include "chain/pending_pool.h"
#include "mining/work.h"
#include "net/messages.h"

// Stimuli of the core. Everything the core ever learns arrives as one of these.
namespace eventchain::node {

using RequestId = chain::Strong<struct RequestIdTag, std::uint64_t>;

// How far an event must have come before its client is answered.
enum class WaitFor : std::uint8_t { kReceived, kDurable, kCompleted, kFinal };

// A client's events, prepared by the API: checked, salted, committed to. Answered exactly once by
// Answer with one outcome per event, at the latest at `deadline`.
struct ClientSubmit {
  RequestId request;
  std::vector<chain::HeldEvent> events;
  WaitFor wait = WaitFor::kDurable;
  chain::Instant deadline;
};

// Asks for the pending event under a key, which no reader of the store sees.
struct ClientAsksPending {
  RequestId request;
  chain::EventKey key;
};

// Asks when this node has applied all that was committed before. Answered exactly once by
// ReadReady, at the latest at `deadline`.
struct ClientReads {
  RequestId request;
  chain::Instant deadline;
};

// Wants something done to the cluster. Answered exactly once by OrderAnswer: when a block has it,
// or at the latest at `deadline`.
struct ClientOrders {
  RequestId request;
  net::Order order;
  chain::Instant deadline;
};

// This node is to be stopped soon, or not any more: no new events, no leadership. Not remembered
// over a restart.
struct OperatorDrains {
  bool wants = true;
};

struct PeerUp {  // authenticated link; first frame exchanged
  chain::NodeId peer;
  chain::StoreId store{};           // the disk it says it has
  std::uint16_t feature_level = 1;  // that it says its program can do
};
struct PeerDown {
  chain::NodeId peer;
};
// Instead of a link: the peer does not know this node as a member, as of that block.
struct PeerRefused {
  chain::NodeId peer;
  chain::Height as_of;
};
struct PeerSaid {
  chain::NodeId peer;
  net::Message message;
};

struct MinerFound {
  mining::ShareFound share;
};

// Whether the disk is so full that intake must stop; voting goes on.
struct DiskSpace {
  bool nearly_full = false;
};

struct Woke {};  // next_wakeup() has come

using Input =
    std::variant<ClientSubmit, ClientAsksPending, ClientReads, ClientOrders, OperatorDrains, PeerUp,
                 PeerDown, PeerRefused, PeerSaid, MinerFound, DiskSpace, Woke>;

}  // namespace eventchain::node
