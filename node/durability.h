#pragma once

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
class Durability {
 public:
  Durability(const Members& members, Outbox& outbox) : members_(members), outbox_(outbox) {}

  // What a finished step tells the core.
  struct Progress {
    std::vector<chain::EntryRef> durable;
    std::vector<chain::EntryRef> conflicts;  // the leader holds other content under the key
  };

  void accepted(chain::HeldEvent event);
  // Sends what accepted() gathered; call at the end of a turn. A cluster of one is durable at once.
  Progress flush();
  Progress held(const chain::NodeId& by, const net::EventsHeld& answer);
  // A voter came (back): it is sent every open batch once more. Events that are not held any more
  // leave their batch, which then goes out anew as another one.
  void peer_up(const chain::NodeId& peer, Ledger& ledger);
  // Which batches are durable depends on who leads.
  Progress leader_is(std::optional<chain::NodeId> leader);
  [[nodiscard]] std::size_t open_batches() const { return batches_.size(); }

 private:
  using SlotSet = std::uint64_t;  // bit = slot; genesis allows seven voters

  struct Batch {
    std::vector<chain::EntryRef> entries;
    SlotSet answered = 0;
    std::vector<SlotSet> holders;  // of each event: the voters that hold it, this node included
    std::vector<bool> finished;
    std::size_t unfinished = 0;
  };

  void open(std::vector<chain::HeldEvent> events, Progress& progress);
  void evaluate(Batch& batch, Progress& progress) const;

  const Members& members_;
  Outbox& outbox_;
  std::optional<chain::NodeId> leader_;
  std::uint64_t next_batch_ = 1;
  std::vector<chain::HeldEvent> gathered_;
  std::map<std::uint64_t, Batch> batches_;
};

}  // namespace eventchain::node
