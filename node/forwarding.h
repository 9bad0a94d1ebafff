#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "node/durability.h"
#include "node/ledger.h"
#include "node/members.h"
#include "node/outbox.h"

namespace eventchain::node {

// How events become durable that a node accepted which has no vote. It does not count copies: it
// hands the bodies to one voter, which takes them as if its own clients had sent them and tells
// what became of each. Both sides are here; a node is on one of them at a time, by its role.
//
// The node without a vote asks the leader if it knows and reaches it, else one of the voters it is
// linked to, and stays with that one. A voter that does not answer, refuses or is lost is not asked
// for a while, and what was open with it goes to another: taking an event twice changes nothing.
// What nobody takes waits here; the store has it, and announcements go on.
//
// Owned by the node's core. Pure: time is handed in. Memory: references to events that wait, which
// the pool bounds; and of others' batches kTakenMax of each peer and kTakenEventsMax events in all.
class Forwarding {
 public:
  static constexpr std::chrono::seconds kAnswerWithin{2};
  // How long a voter that failed is left alone; doubles up to the last.
  static constexpr std::chrono::seconds kAvoidFirst{2};
  static constexpr std::chrono::seconds kAvoidLast{16};
  // Batches that wait for their answer. Meanwhile the next ones grow, so that it is few that are
  // large where the way is long.
  static constexpr std::size_t kSentMax = 32;
  static constexpr std::size_t kTakenMax = 2 * kSentMax;
  static constexpr std::size_t kTakenEventsMax = 131'072;

  // `first_batch`: random and not 0, so that no answer to an earlier run of this node fits a batch.
  Forwarding(const Members& members, Outbox& outbox, Ledger& ledger, std::uint64_t first_batch)
      : members_(members), outbox_(outbox), ledger_(ledger), next_batch_(first_batch) {}

  // --- as a node without a vote -------------------------------------------------------------
  // Pre: the event is held.
  void accepted(const chain::EntryRef& entry) { waiting_.push_back(entry); }
  Durability::Progress said(const chain::NodeId& peer, const net::EventsSettled& answer,
                            chain::Instant now);
  // This node votes from now on: what is not known to be durable, for Durability.
  std::vector<chain::EntryRef> take_open();

  // --- as a voter ---------------------------------------------------------------------------
  // One event of a batch, as far as it is known at once. `held`: the variant that is held for it.
  struct Taken {
    chain::Commitment held;
    net::SettleResult result = net::SettleResult::kOpen;
  };
  // Whether another batch of the peer may be open; the same one, sent again, replaces itself.
  [[nodiscard]] bool has_room(const chain::NodeId& peer, const net::EventsSubmit& message) const;
  void take(const chain::NodeId& peer, std::uint64_t batch, const std::vector<Taken>& events);
  void settled(const chain::Commitment& held, net::SettleResult result);
  [[nodiscard]] bool is_awaited(const chain::Commitment& held) const {
    return awaited_.contains(held);
  }

  // --- both ---------------------------------------------------------------------------------
  void peer_down(const chain::NodeId& peer);
  // Sends what is due, and answers what is known. Call at the end of a step.
  void follow_up(const std::optional<chain::NodeId>& leader, chain::Instant now);
  [[nodiscard]] std::optional<chain::Instant> next_deadline() const;
  [[nodiscard]] std::size_t open_batches() const { return sent_.size(); }
  [[nodiscard]] std::size_t taken_batches() const { return taken_.size(); }

 private:
  struct Sent {
    std::vector<chain::EntryRef> entries;
    std::vector<bool> settled;
    std::optional<chain::NodeId> to;  // nullopt: to be sent (again)
    chain::Instant answer_by;
  };
  struct Avoided {
    chain::Instant until;
    std::chrono::nanoseconds wait{0};
  };
  using TakenId = std::pair<chain::NodeId, std::uint64_t>;
  struct TakenBatch {
    std::vector<chain::Commitment> held;
    std::vector<net::SettleResult> results;
    std::size_t open = 0;
    bool has_news = false;
  };
  struct Place {
    TakenId batch;
    std::size_t index;
  };
  using TakenBatches = std::map<TakenId, TakenBatch>;

  [[nodiscard]] bool may_ask(const chain::NodeId& voter, chain::Instant now) const;
  std::optional<chain::NodeId> pick(const std::optional<chain::NodeId>& leader, chain::Instant now);
  void avoid(const chain::NodeId& voter, chain::Instant now);
  void send_due(const std::optional<chain::NodeId>& leader, chain::Instant now);
  // False if nothing of it is left to send.
  bool send(std::uint64_t id, Sent& batch, const chain::NodeId& to, chain::Instant now);
  // Takes the next batch's worth of what waits.
  std::vector<chain::EntryRef> take_waiting();
  [[nodiscard]] bool wants_voter() const;
  void answer();
  TakenBatches::iterator forget(TakenBatches::iterator batch);

  const Members& members_;
  Outbox& outbox_;
  Ledger& ledger_;

  std::uint64_t next_batch_;
  std::deque<chain::EntryRef> waiting_;  // for a place among the sent
  std::map<std::uint64_t, Sent> sent_;
  std::optional<chain::NodeId> via_;  // asked last
  std::map<chain::NodeId, Avoided> avoided_;

  TakenBatches taken_;
  std::size_t taken_events_ = 0;
  std::unordered_map<chain::Commitment, std::vector<Place>, chain::FixedBytesHash> awaited_;
  std::vector<TakenId> news_;
};

}  // namespace eventchain::node
