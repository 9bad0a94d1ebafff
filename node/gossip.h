#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "chain/rng.h"
#include "node/ledger.h"
#include "node/members.h"
#include "node/outbox.h"

namespace eventchain::node {

// How bodies spread among the nodes without a vote before a block needs them, so that a voter need
// not serve each of them. Whoever holds a new event tells those of its peers which have no vote and
// have not told of it themselves; they ask one of those who told for the body, and tell on.
//
// It begins where an event was accepted and became durable: before that it may be nothing that a
// block ever names. A voter tells kToldByVoter peers of each batch, drawn; the others tell all.
// Voters are told nothing, because whoever accepts an event takes it to them (Durability,
// Forwarding); so among voters alone nothing of this is sent.
//
// Nothing rests on it. An event is named by the first octets of its commitment: 8 instead of 48 for
// each event on each link. Where two share them one is passed over here. What does not come this
// way, or is not wanted for want of room, is asked for when a template names it (Fetcher), unless
// it is under way.
//
// One request to a peer at a time, and each event asked of one peer at a time: of the next that
// told of it, once the first has not answered within kAnswerWithin. Who tells and never sends is
// asked once for each word of his, and keeps nothing from coming from others.
//
// Owned by the node's core. Pure: time is handed in. Memory: the constants below.
class Gossip {
 public:
  using Knowing = std::vector<chain::NodeId>;  // peers that are known to hold an event

  // Short beside a block interval even after five or six nodes; long enough to fill a message.
  static constexpr std::chrono::milliseconds kGatherFor{25};
  static constexpr std::size_t kGatheredMax = 256;
  static constexpr std::size_t kToldByVoter = 3;
  static constexpr std::chrono::milliseconds kAnswerWithin{300};
  static constexpr std::size_t kAskedMax = 256;   // in one request
  static constexpr std::size_t kQueueMax = 4096;  // to be asked of one peer
  static constexpr std::size_t kWantedMax = 32'768;
  static constexpr std::size_t kKnowingMax = 16;  // remembered for each event
  static constexpr std::size_t kPassedMax = 4096;

  Gossip(const Members& members, Outbox& outbox, const Ledger& ledger, chain::Rng rng)
      : members_(members), outbox_(outbox), ledger_(ledger), rng_(rng) {}

  // Pre: it is held, and was said to be durable.
  void spread(const chain::Commitment& held, Knowing knowing, chain::Instant now);
  // What a peer says it holds.
  void told(const std::vector<chain::ShortId>& ids, const chain::NodeId& by);
  // A body came. Who holds it, if it was wanted here.
  std::optional<Knowing> arrived(const chain::Commitment& commitment, chain::Instant now);
  // It is not held, because something else settles it: nor need it come again.
  void pass_over(const chain::Commitment& commitment);
  // A block needs it, so it is the Fetcher's from now on. Whom it was asked of already.
  std::optional<chain::NodeId> hand_over(const chain::Commitment& commitment);
  [[nodiscard]] bool is_asking(const chain::Commitment& commitment) const;
  void peer_down(const chain::NodeId& peer);
  // Tells and asks what is due. `room`: events that may come; without any, what was not asked for
  // yet is left to the templates. Call at the end of a step.
  void follow_up(chain::Instant now, std::size_t room);
  [[nodiscard]] std::optional<chain::Instant> next_deadline() const;
  [[nodiscard]] std::size_t wanted() const { return wanted_.size(); }

 private:
  struct Wanted {
    Knowing knowing;                     // in the order of their words
    std::optional<chain::NodeId> asked;  // one of them
  };
  struct Source {
    std::deque<chain::ShortId> queue;  // may have what is asked of another by now
    std::vector<chain::ShortId> asked;
    std::size_t open = 0;  // of those
    chain::Instant until;
  };
  using WantedEvents = std::map<chain::ShortId, Wanted>;

  void tell();
  void ask(const chain::NodeId& peer, Source& source, chain::Instant now, std::size_t room);
  // It will not come from the one it was asked of.
  void ask_another(WantedEvents::iterator wanted);
  void forget_unasked();
  void close(const Wanted& wanted);
  [[nodiscard]] bool is_passed(const chain::ShortId& id) const {
    return passed_.contains(id) || passed_before_.contains(id);
  }

  const Members& members_;
  Outbox& outbox_;
  const Ledger& ledger_;
  chain::Rng rng_;

  std::map<chain::ShortId, Knowing> gathered_;  // to be told
  chain::Instant tell_at_;                      // while there is anything
  WantedEvents wanted_;
  std::map<chain::NodeId, Source> sources_;
  std::size_t open_ = 0;  // asked for, of all
  // What came and was of no use; the older half is forgotten when the newer one is full.
  std::set<chain::ShortId> passed_;
  std::set<chain::ShortId> passed_before_;
};

}  // namespace eventchain::node
