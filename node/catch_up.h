#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "node/certifier.h"
#include "node/decider.h"

namespace eventchain::node {

// Follows the chain by certificates where Raft does not bring it: to a voter that is linked to some
// peer and not to the leader, and to nodes outside the Raft configuration. A certificate says that
// a majority of voters applied a block, and with it all blocks before, so it is as good as Raft's
// word; every rule is checked here all the same (Decider).
//
// Who is ahead is known from what peers say of their tips and from signatures that come before
// their block. As long as Raft may be about to bring the same block, nobody is asked: only when the
// tip has not moved for kGrace. One request is out at a time, and a leader makes none. Peers that
// claim what they cannot prove are asked ever more rarely.
//
// Owned by the node's core. Pure: time is handed in. Memory: one claim of each member.
class CatchUp {
 public:
  static constexpr std::chrono::milliseconds kGrace{300};
  // Blocks whose bodies nobody sends for so long are given up; somebody else is asked for them.
  static constexpr std::chrono::seconds kStalled{10};

  CatchUp(const Ledger& ledger, Fetcher& fetcher, Decider& decider, const Certifier& certifier,
          Outbox& outbox)
      : ledger_(ledger),
        fetcher_(fetcher),
        decider_(decider),
        certifier_(certifier),
        outbox_(outbox) {}

  // The peer claims that there is a committed block at this height.
  void heard(const chain::NodeId& peer, chain::Height height, const chain::Now& now);
  void peer_down(const chain::NodeId& peer) { claims_.erase(peer); }
  // `by_certificate`: more may be had in the same way at once.
  void tip_moved(bool by_certificate, const chain::Now& now);
  // Takes an answer that was asked for. What is wrong with it, for the log; empty if nothing is.
  std::string said(const chain::NodeId& peer, const net::BlocksReply& reply, const chain::Now& now);
  // Asks if it is time. `leads`: this node is a leader, at least by its own account.
  void follow_up(bool leads, const chain::Now& now);
  [[nodiscard]] std::optional<chain::Instant> next_deadline(bool leads) const;

 private:
  struct Claim {
    chain::Height height;
    chain::Instant again;  // not asked before
    std::chrono::milliseconds wait{0};
  };

  [[nodiscard]] bool is_ahead(const Claim& claim) const {
    return claim.height > ledger_.state().height();
  }
  [[nodiscard]] bool may_ask(bool leads) const;
  [[nodiscard]] std::optional<chain::Instant> due() const;
  void ask(const chain::Now& now);
  void found_nothing(const chain::NodeId& peer, const chain::Now& now);

  const Ledger& ledger_;
  Fetcher& fetcher_;
  Decider& decider_;
  const Certifier& certifier_;
  Outbox& outbox_;
  std::map<chain::NodeId, Claim> claims_;  // of peers that may be ahead
  chain::Instant patient_until_;           // while somebody is ahead
  bool was_told_of_fork_ = false;
};

}  // namespace eventchain::node
