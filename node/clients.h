#pragma once

#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "node/ledger.h"
#include "node/outbox.h"

namespace eventchain::node {

// Clients that wait for their events to come far enough. Each request is answered exactly once:
// when every event of it has arrived where the client wants it or is refused for good, or at its
// deadline. Owned by the node's core. Bounded by the API's bound on open requests.
//
// Clients wait for the variant held for them, not for a key: what becomes of other content under
// the same key is no answer to them.
class Clients {
 public:
  explicit Clients(Outbox& outbox) : outbox_(outbox) {}

  struct Waiting {
    EventOutcome outcome;    // as far as it is now
    chain::Commitment held;  // the variant that stands for the event here
    // The turn whose writes the outcome speaks of; 0: it speaks of no disk of this node.
    std::uint64_t turn = 0;
  };

  // Starts a request; answers at once if nothing is left to wait for. `turn` of `events` is set
  // here: what is known of an event when it comes may have been written in this very turn.
  void open(RequestId request, WaitFor wait, chain::Instant deadline, std::vector<Waiting> events);

  // `rests_on_turn`: only once the turn in hand is durable.
  void durable(const chain::Commitment& held, bool rests_on_turn);
  void completed(const chain::Commitment& held, chain::Position position,
                 chain::StreamVersion version, chain::Height height);
  void rejected(const chain::Commitment& held, chain::RejectionReason reason,
                chain::StreamVersion stream_version, chain::Height height);
  void key_conflict(const chain::Commitment& held);
  // Blocks up to this one have a certificate.
  void certified(chain::Height height);

  void expire(const chain::Now& now);
  [[nodiscard]] std::optional<chain::Instant> next_deadline() const;
  [[nodiscard]] bool is_waiting(const chain::Commitment& held) const {
    return by_held_.contains(held);
  }
  [[nodiscard]] std::size_t open_requests() const { return requests_.size(); }

 private:
  struct Request {
    WaitFor wait;
    chain::Instant deadline;
    std::vector<Waiting> events;
    std::size_t unsettled = 0;
  };
  struct Place {
    RequestId request;
    std::size_t index;
  };

  template <class Change>
  void advance(const chain::Commitment& held, const Change& change);
  void answer(std::map<RequestId, Request>::iterator request, bool reached);
  void forget_places(RequestId id, const Request& request);

  Outbox& outbox_;
  std::map<RequestId, Request> requests_;
  std::unordered_map<chain::Commitment, std::vector<Place>, chain::FixedBytesHash> by_held_;
  std::set<std::pair<chain::Instant, RequestId>> deadlines_;
  // Completed events that are waited for until they are final.
  std::set<std::pair<chain::Height, chain::Commitment>> uncertified_;
};

}  // namespace eventchain::node
