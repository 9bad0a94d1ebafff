#pragma once

#include <chrono>
#include <map>
#include <optional>

#include "net/messages.h"
#include "node/members.h"

namespace eventchain::node {

// What a node without a vote knows of the cluster's leadership: the last word of each voter it is
// linked to. It serves for finding the leader and for telling how old an answer is; nothing that
// must be right rests on it.
//
// How fresh this node is, it knows by what its voters knew: a voter says a height, and how long ago
// that was all that was committed. Once this node has come as far, it has no less than that voter
// had. What it tells is thus never younger than the voter's own knowledge, but for the time that
// the word was under way.
//
// Owned by the node's core. Pure: time is handed in. Memory: one word for each link, and
// kAwaitedMax heights that are still to be reached.
class Hearsay {
 public:
  struct Word {
    consensus::Term term;
    std::optional<chain::NodeId> leader;
  };

  explicit Hearsay(const Members& members) : members_(members) {}

  void heard(const chain::NodeId& peer, const net::TipSaid& said, chain::Height tip,
             chain::Instant now);
  void tip_moved(chain::Height tip);
  void peer_down(const chain::NodeId& peer) { words_.erase(peer); }

  // Of the latest term that a voter has told of; nullopt if none has.
  [[nodiscard]] std::optional<Word> latest() const;
  // When this node had all that was committed, as far as it was told.
  [[nodiscard]] std::optional<chain::Instant> as_of() const { return as_of_; }

 private:
  static constexpr std::size_t kAwaitedMax = 64;

  const Members& members_;
  std::map<chain::NodeId, Word> words_;
  std::map<chain::Height, chain::Instant>
      awaited_;  // above the tip, and when each was all there was
  std::optional<chain::Instant> as_of_;
};

}  // namespace eventchain::node
