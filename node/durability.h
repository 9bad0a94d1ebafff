#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "node/ledger.h"
#include "node/members.h"
#include "node/outbox.h"

namespace eventchain::node {

// Takes the events accepted here straight to the voters and learns when a majority of them,
// the leader included, holds each batch durably. Owned by the node's core.
//
// A turn's new events travel as one batch (several if large). A batch is forgotten once durable:
// from then on announcements repair what a voter may still miss.
//
// Who is waited for. The leader and the first voters by slot that make a majority with it are the
// *quorum*; it is the same whoever accepts an event, so that each sync of its members serves the
// events of all nodes. They get a batch at once. The other voters get it kTrailing later with all
// that came meanwhile, and a node that is not of the quorum need not hurry to sync what it accepts:
// one sync more per event would make nothing durable sooner. A voter that has not answered for
// kTrailing is not counted on; the next in line takes its place.
//
// Voters change one at a time, by blocks. An answer counts only if its sender knew the same voters
// as this node (`voters_since`): so whatever is durable is held by a majority of the voters of one
// block, and whoever waits for all of those to have their place before Raft's configuration follows
// (Steward) loses none.
class Durability {
 public:
  static constexpr std::chrono::milliseconds kTrailing{10};
  static constexpr std::chrono::milliseconds kOfferAgain{200};

  // `first_batch`: random and not 0, so that no answer to an earlier run of this node fits a batch.
  Durability(const Members& members, Outbox& outbox, std::uint64_t first_batch)
      : members_(members), outbox_(outbox), next_batch_(first_batch) {}

  // What a finished step tells the core.
  struct Progress {
    std::vector<chain::EntryRef> durable;            // whatever becomes of this turn
    std::vector<chain::EntryRef> durable_with_turn;  // once this turn is
    std::vector<chain::EntryRef> conflicts;          // the leader holds other content under the key
  };

  void accepted(chain::HeldEvent event);
  // Counts the copies that the last turn has made durable here. Call when a turn begins.
  Progress turn_begins();
  // Sends what accepted() gathered and what has waited long enough. A cluster of one is durable
  // with the turn.
  Progress flush(chain::Instant now);
  Progress held(const chain::NodeId& by, const net::EventsHeld& answer, chain::Instant now);
  // A voter came (back): it is sent every open batch once more. Events that are not held any more
  // leave their batch, which then goes out anew as another one.
  void peer_up(const chain::NodeId& peer, Ledger& ledger);
  // Other voters: what they hold is asked anew.
  Progress voters_changed(Ledger& ledger);
  // This node votes no more: what is not known to be durable, for Forwarding.
  std::vector<chain::EntryRef> take_open();
  // Offers once more what was answered by nodes with other voters.
  void offer_again(Ledger& ledger, chain::Instant now);
  // Which batches are durable depends on who leads.
  Progress leader_is(std::optional<chain::NodeId> leader);

  [[nodiscard]] std::optional<chain::Instant> next_deadline() const;
  // Whether this turn accepted events that others wait for this node to hold.
  [[nodiscard]] bool is_urgent() const { return urgent_turn_ == outbox_.turn(); }
  // Whether this turn accepted events that this node may sync a little later.
  [[nodiscard]] bool is_patient() const;
  [[nodiscard]] std::size_t open_batches() const { return batches_.size(); }

 private:
  using VoterSet = std::uint64_t;  // bit = place among the voters

  struct Batch {
    std::uint64_t turn = 0;  // that accepted it
    std::vector<chain::EntryRef> entries;
    std::vector<VoterSet> holders;  // of each event
    std::vector<bool> finished;
    std::size_t unfinished = 0;
  };
  struct Route {
    std::vector<chain::NodeId> at_once;
    std::vector<chain::NodeId> trailing;
    bool is_self_in_quorum = true;
  };
  struct Trailing {
    chain::Instant due;
    std::vector<chain::NodeId> to;
    net::Events message;
  };

  // Of which voters one and the same event is on disk; 0 for other nodes.
  [[nodiscard]] VoterSet bit_of(const chain::NodeId& node) const;
  void open(std::vector<chain::HeldEvent> events, chain::Instant now, Progress& progress);
  // `rests_on_block`: this turn applies the block whose voters count.
  void evaluate(Batch& batch, Progress& progress, bool rests_on_block = false) const;
  [[nodiscard]] Route route(chain::Instant now) const;
  void send_trailing();

  const Members& members_;
  Outbox& outbox_;
  std::optional<chain::NodeId> leader_;
  std::uint64_t next_batch_;
  std::vector<chain::HeldEvent> gathered_;
  std::map<std::uint64_t, Batch> batches_;
  std::vector<Trailing> trailing_;  // by `due`
  // Since when a voter owes an answer to what it was sent at once.
  std::map<chain::NodeId, chain::Instant> owes_since_;
  // Whose answers do not count because its voters differ, and since when.
  std::map<chain::NodeId, chain::Instant> unequal_since_;
  std::uint64_t urgent_turn_ = 0;
  // Batches whose copies here do not count yet, and the turn that made them.
  std::vector<std::uint64_t> uncounted_;
  std::uint64_t uncounted_turn_ = 0;
};

}  // namespace eventchain::node
