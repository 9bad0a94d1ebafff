#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

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
// tip has not moved for kGrace. Where Raft serves not at all, that holds only as long as nobody has
// shown a certificate, and the questions go to all peers in turn, because there may be hundreds of
// such nodes and few voters. One request is out at a time, and a leader makes none. Peers that
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

  // What Raft is to this node.
  enum class Standing : std::uint8_t {
    kLeads,    // at least by its own account
    kServed,   // it is a server of Raft's configuration
    kOutside,  // it is none
  };

  // The peer claims that there is a committed block at this height, or shows what looks like its
  // certificate.
  enum class Claimed : std::uint8_t { kCommitted, kCertified };
  void heard(const chain::NodeId& peer, chain::Height height, Claimed claimed,
             const chain::Now& now);
  void peer_down(const chain::NodeId& peer) { claims_.erase(peer); }
  // `by_certificate`: more may be had in the same way at once.
  void tip_moved(bool by_certificate, const chain::Now& now);
  // Takes an answer of somebody who was asked for it; another may be late, and is passed over. What
  // is wrong with it, for the log; empty if nothing is.
  std::string said(const chain::NodeId& peer, const net::BlocksReply& reply, const chain::Now& now);
  // Asks if it is time.
  void follow_up(Standing standing, const chain::Now& now);
  [[nodiscard]] std::optional<chain::Instant> next_deadline(Standing standing) const;

 private:
  struct Claim {
    chain::Height height;
    chain::Height certified;  // up to here it showed certificates
    chain::Height asked_at;   // `certified` when it was asked last
    chain::Instant again;     // not asked before
    std::chrono::milliseconds wait{0};
  };

  [[nodiscard]] bool is_ahead(const Claim& claim) const {
    return claim.height > ledger_.state().height();
  }
  [[nodiscard]] bool has_shown(const Claim& claim) const {
    return claim.certified > ledger_.state().height();
  }
  [[nodiscard]] bool may_ask(Standing standing) const;
  // Somebody is ahead: when he may be asked.
  [[nodiscard]] std::optional<chain::Instant> due(Standing standing) const;
  void ask(Standing standing, const chain::Now& now);
  // Of those that may be asked now: who claims most, or whose turn it is.
  [[nodiscard]] std::optional<chain::NodeId> pick_highest(const chain::Now& now) const;
  [[nodiscard]] std::optional<chain::NodeId> pick_in_turn(const chain::Now& now) const;
  void found_nothing(const chain::NodeId& peer, const chain::Now& now);
  void tell_of_fork(const net::BlocksReply& reply);

  const Ledger& ledger_;
  Fetcher& fetcher_;
  Decider& decider_;
  const Certifier& certifier_;
  Outbox& outbox_;
  std::map<chain::NodeId, Claim> claims_;  // of peers that may be ahead
  chain::Instant patient_until_;           // while somebody is ahead
  std::optional<chain::NodeId> asked_last_;
  bool was_told_of_fork_ = false;
};

}  // namespace eventchain::node
