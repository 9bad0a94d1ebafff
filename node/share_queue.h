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
// What needs no digest is not kept: everything but shares and seals, what is known already, and
// replies that nobody asked for. It passes what waits;
// links do not promise an order between kinds of messages either, and Raft needs none.
//
// Bounds: kWaitingMax messages and kBytesMax of each peer, kEarlyMax shares of each for templates
// that are not in hand yet. What exceeds them is dropped like what a link loses: a reply is asked
// for again, Raft repeats itself, and a share is work lost to its sender.
//
// Decides nothing about what is valid. Pure but for the memory of digests, which is thread-safe;
// used by one thread at a time.
class ShareQueue {
 public:
  static constexpr std::size_t kWaitingMax = 64;
  static constexpr std::size_t kBytesMax = std::size_t{16} * 1024 * 1024;
  static constexpr std::size_t kEarlyMax = 32;
  static constexpr unsigned kAskedMax = 8;

  // `memo` outlives it. `self` is whose own shares are.
  ShareQueue(const chain::Genesis& genesis, const chain::NodeId& self,
             const mining::MemoDigest& memo);

  // What arrived. It comes back if it needs nothing; else it is kept, or dropped.
  std::optional<Input> offer(PeerSaid said, std::size_t bytes);
  std::optional<Input> offer(const MinerFound& found);

  struct Piece {
    chain::NodeId peer;
    std::uint64_t link = 0;
    std::vector<chain::SharePreimage> preimages;
    chain::U256 target;
  };
  // What to compute next. Appends to `ready` what turns out to need nothing any more.
  std::optional<Piece> next(std::vector<Input>& ready);
  // The piece is computed and known to the memory; `meets`: all of it meets its target. What the
  // core will refuse at this point needs no more digests.
  void done(const Piece& piece, bool meets, std::vector<Input>& ready);

  // The core collects shares for this template from now on; for none: nullopt.
  void in_hand(const std::optional<chain::TemplateHeader>& header);
  void tip_moved(chain::Height height) { tip_ = height; }
  // The core asked this peer for blocks or headers.
  void asked(const chain::NodeId& peer);
  void peer_down(const chain::NodeId& peer) { peers_.erase(peer); }
  // The core hung up on this peer, and may not listen to it for a while when it is back: nothing of
  // it is computed until the core says something to it again.
  void hung_up(const chain::NodeId& peer);
  void spoke_to(const chain::NodeId& peer) { deaf_to_.erase(peer); }

  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

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
    std::deque<mining::ShareFound> early;
    unsigned asked = 0;
  };

  Peer& peer_of(const chain::NodeId& id);
  std::optional<Input> offer_share(const chain::NodeId& from, const mining::ShareFound& share);
  // Of a share for the template in hand.
  [[nodiscard]] Waiting waiting_share(const chain::NodeId& from,
                                      const mining::ShareFound& share) const;
  void keep(const chain::NodeId& from, Waiting waiting);
  [[nodiscard]] Input share_input(const chain::NodeId& from, const mining::ShareFound& share) const;
  // The seals of a message, as far as the core would look at them.
  [[nodiscard]] std::vector<Piece> pieces_of(const std::vector<chain::SealedHeader>& seals) const;
  [[nodiscard]] std::optional<Piece> piece_of(const chain::SealedHeader& sealed) const;
  [[nodiscard]] bool is_known(const Piece& piece) const;
  void drop_outdated(Peer& peer);
  void skip_known(Peer& peer, std::vector<Input>& ready);

  // constant after construction
  const chain::ChainId chain_;
  const std::uint16_t share_count_;
  const chain::NodeId self_;
  const mining::MemoDigest& memo_;

  std::optional<chain::TemplateHeader> in_hand_;
  chain::TemplateHash in_hand_hash_;
  chain::Height tip_;
  std::map<chain::NodeId, Peer> peers_;
  std::set<chain::NodeId> deaf_to_;
  std::optional<chain::NodeId> served_last_;
  std::uint64_t last_link_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace eventchain::node
