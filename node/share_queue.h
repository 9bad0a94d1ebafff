#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "chain/work.h"
#include "mining/memo_digest.h"
#include "node/inputs.h"

namespace eventchain::node {

// Where a digest takes long (RandomX: 30 ms), shares and seals that arrive wait here until theirs
// are computed; then the core, which checks them again, finds them in the memory of digests and
// never waits. A queue for each peer, and turns: the pieces of work are one share or the shares of
// one seal, and of each peer one piece is in work at a time. So whatever one peer sends, another's
// share waits for one piece of each of the others at most.
//
// What needs no digest is not kept: everything but shares and seals, what is known already, what
// the core will not look into (replies that nobody asked for, Raft's entries from light members,
// shares of a template that has all it needs), and seals that do not follow the tip.
//
// It passes what waits, also a heartbeat the entries that the same leader sent before: if it waited
// too, seals that take seconds would let the follower's patience with its leader end. Safe, since
// Raft rests on no order within a link: a heartbeat beyond the log is refused, the leader sends the
// entries again, and R1 and R3 (consensus/README.md) drop what comes too late. Between two links
// there is an order: what was said on the old one never comes after the new one (witness.h).
//
// Bounds, for each peer: waiting_max() messages, kBytesMax of them with what is to be computed, and
// early_max() shares for templates that are not in hand yet; two times the shares of a seal at
// least, since a peer shows all that it holds at once. What exceeds them is dropped like what a
// link loses: a reply is asked for again, Raft repeats itself, and a share is work lost to its
// sender. A frame of entries has up to 256 seals of heights to come: the first that misses, or
// whose target is easier than the chain's easiest, ends it, and of somebody who is no voter as far
// as this node knows one seal is computed.
//
// Decides nothing about what is valid. Pure but for the memory of digests, which is thread-safe;
// used by one thread at a time but for pieces_of().
class ShareQueue {
 public:
  static constexpr std::size_t kBytesMax = std::size_t{16} * 1024 * 1024;
  static constexpr unsigned kAskedMax = 8;

  // `memo` outlives it. `self` is whose own shares are; a light member collects no others'.
  ShareQueue(const chain::Genesis& genesis, const chain::NodeId& self,
             const mining::MemoDigest& memo, bool is_light = false);

  struct Piece {
    chain::NodeId peer;
    std::uint64_t link = 0;
    std::vector<chain::SharePreimage> preimages;
    chain::U256 target;
    chain::Height height;  // of a seal's block
  };
  // How far a message that may have seals is to be looked into.
  struct Look {
    bool has_room = false;
    chain::Height tip;
    chain::Height reach;  // as far as this peer's seals that wait go, or the tip
    std::size_t seals_max = 0;
  };
  // Before a message is offered: nullopt if it has no seals that the core would look at.
  std::optional<Look> look_at(const PeerSaid& said, std::size_t bytes);
  // Of its seals, what is not known. Any thread at any time: many of them take a while to make.
  [[nodiscard]] std::vector<Piece> pieces_of(const net::Message& message, const Look& look) const;
  // What arrived. It comes back if it needs nothing; else it is kept, or dropped. `bytes`: without
  // the pieces. Pre: if there was a look, it has room.
  std::optional<Input> offer(PeerSaid said, std::size_t bytes, std::vector<Piece> pieces);
  std::optional<Input> offer(const MinerFound& found);
  // It was not offered.
  void drop() { ++dropped_; }

  // What to compute next. Appends to `ready` what turns out to need nothing any more.
  std::optional<Piece> next(std::vector<Input>& ready);
  // The piece is computed and known to the memory; `meets`: all of it meets its target. What the
  // core will refuse at this point needs no more digests.
  void done(const Piece& piece, bool meets, std::vector<Input>& ready);

  // The core collects shares for this template from now on; for none: nullopt. `is_full`: it has
  // all that it needs.
  void in_hand(const std::optional<chain::TemplateHeader>& header, bool is_full = false);
  void tip_moved(chain::Height height) { tip_ = height; }
  // Those of genesis before the first call.
  void members(chain::MembersRef members) { members_ = std::move(members); }
  // The core asked this peer for blocks or headers.
  void asked(const chain::NodeId& peer);
  void peer_down(const chain::NodeId& peer) { peers_.erase(peer); }
  // The core hung up on this peer, and may not listen to it for a while when it is back: nothing of
  // it is computed until the core says something to it again. True if there is something then.
  void hung_up(const chain::NodeId& peer);
  bool spoke_to(const chain::NodeId& peer);

  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  [[nodiscard]] std::size_t waiting_max() const { return waiting_max_; }
  [[nodiscard]] std::size_t early_max() const { return early_max_; }

 private:
  struct Waiting {
    Input input;
    std::vector<Piece> pieces;  // what is left of it, the next one last
    std::size_t bytes = 0;
    std::optional<chain::TemplateHash> share_of;  // where it is one share
  };
  struct Peer {
    std::uint64_t link = 0;  // another one after the link was lost
    std::deque<Waiting> waiting;
    std::size_t bytes = 0;
    bool is_in_work = false;
    chain::Height reach;  // the highest of the seals that it sent
    std::deque<mining::ShareFound> early;
    unsigned asked = 0;
  };

  Peer& peer_of(const chain::NodeId& id);
  std::optional<Input> offer_share(const chain::NodeId& from, const mining::ShareFound& share);
  // Of a share for the template in hand.
  [[nodiscard]] Waiting waiting_share(const chain::NodeId& from,
                                      const mining::ShareFound& share) const;
  [[nodiscard]] bool has_room(const Peer& peer, std::size_t bytes) const;
  void keep(const chain::NodeId& from, Waiting waiting);
  // The shares that outran the template in hand.
  void release_early(const chain::NodeId& id, Peer& peer);
  [[nodiscard]] Input share_input(const chain::NodeId& from, const mining::ShareFound& share) const;
  // nullopt: it breaks a rule that costs nothing to check.
  [[nodiscard]] std::optional<Piece> piece_of(const chain::SealedHeader& sealed) const;
  [[nodiscard]] bool is_known(const Piece& piece) const;
  // What the core needs no digest for any more.
  [[nodiscard]] bool is_surplus(const Waiting& waiting) const;
  void drop_outdated(Peer& peer);
  void skip_known(Peer& peer, std::vector<Input>& ready);

  // constant after construction
  const chain::ChainId chain_;
  const std::uint16_t share_count_;
  const chain::U256 easiest_;
  const std::size_t waiting_max_;
  const std::size_t early_max_;
  const chain::NodeId self_;
  const mining::MemoDigest& memo_;
  const bool is_light_;

  std::optional<chain::TemplateHeader> in_hand_;
  chain::TemplateHash in_hand_hash_;
  bool is_full_ = false;
  chain::MembersRef members_;
  chain::Height tip_;
  std::map<chain::NodeId, Peer> peers_;
  std::set<chain::NodeId> deaf_to_;
  std::optional<chain::NodeId> served_last_;
  std::uint64_t last_link_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace eventchain::node
