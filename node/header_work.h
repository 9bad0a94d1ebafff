#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mining/work.h"
#include "node/header_chain.h"
#include "node/members.h"
#include "node/outbox.h"
#include "node/status.h"

namespace eventchain::node {

// What a light member mines: a template of which it has the header alone, checked against its tip
// as far as that goes. Whoever pushed it has checked the rest; a false one costs this node's
// processor time and nobody anything else. Shares go to the voters it is linked to, or to whoever
// may pass them on. Owned by the light member's core.
//
// Memory: one header for each peer, and the own shares for the template in hand.
class HeaderWork {
 public:
  HeaderWork(const HeaderChain& chain, const Members& members, Outbox& outbox, bool mines)
      : chain_(chain), members_(members), outbox_(outbox), mines_(mines) {}

  // What is wrong with it; empty if nothing is, or if this cannot be told yet.
  std::string pushed(const chain::NodeId& peer, const chain::TemplateHeader& header);
  // Of the own miner.
  void share(const mining::ShareFound& found);
  // Shows a peer that has just come the shares in hand.
  void peer_up(const chain::NodeId& peer);
  void peer_down(const chain::NodeId& peer) { pushed_.erase(peer); }
  // What was in hand is done with. Templates that were pushed ahead are looked at now: who pushed a
  // false one, and what is wrong with it.
  std::vector<std::pair<chain::NodeId, std::string>> tip_moved();

  [[nodiscard]] const chain::TemplateHeader* in_hand() const {
    return work_ ? &work_->header : nullptr;
  }
  [[nodiscard]] std::uint32_t share_count() const {
    return work_ ? static_cast<std::uint32_t>(work_->shares.size()) : 0;
  }
  [[nodiscard]] std::uint64_t taken_up() const { return taken_up_count_; }
  [[nodiscard]] const ShareCounts& shares() const { return shares_; }

 private:
  struct Work {
    chain::TemplateHeader header;
    chain::TemplateHash hash;
    std::vector<chain::Nonce> shares;  // own
  };

  std::string consider(const chain::NodeId& peer, const chain::TemplateHeader& header);
  void take_up(const chain::TemplateHeader& header, const chain::TemplateHash& hash);
  [[nodiscard]] std::vector<chain::NodeId> takers() const;

  const HeaderChain& chain_;
  const Members& members_;
  Outbox& outbox_;
  const bool mines_;
  std::optional<Work> work_;
  std::map<chain::NodeId, chain::TemplateHeader> pushed_;  // the newest of each peer
  std::set<chain::TemplateHash> taken_up_;                 // at the next height, each once
  std::uint64_t taken_up_count_ = 0;
  ShareCounts shares_;
};

}  // namespace eventchain::node
