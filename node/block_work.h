#pragma once

#include <deque>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "mining/work.h"
#include "node/ledger.h"
#include "node/members.h"
#include "node/outbox.h"

namespace eventchain::node {

// Work on the block after the tip: the template in hand, the shares found for it, and its seal.
// Every node collects shares, so that a new leader carries on where the old one fell. Owned by the
// node's core.
//
// Invariant: the template in hand was checked against every rule on top of the present tip.
class BlockWork {
 public:
  struct Options {
    chain::AssemblerOptions assembler;
    bool mines = true;
    const chain::ShareDigest* digest = nullptr;  // outlives it, never null
  };
  BlockWork(const Options& options, Ledger& ledger, const Members& members, Outbox& outbox)
      : options_(options), ledger_(ledger), members_(members), outbox_(outbox) {}

  // --- the leader ---------------------------------------------------------------------------
  // Makes a template if there is none and something to put in it (or the heartbeat is due), or if
  // the one in hand may be eased by now. True if it made one.
  // `orders`: what operators want of the next block; take_order_results() tells what became of them
  // when one was made.
  bool lead(const chain::Now& now, const std::vector<chain::MemberOrder>& orders);
  std::vector<chain::Result<void>> take_order_results() {
    return std::exchange(order_results_, {});
  }
  // The seal of the template in hand once enough shares are there; given once per template.
  std::optional<chain::SealedHeader> take_seal(const chain::Now& now);
  // The proposal was refused or leadership lost: the same shares may be sealed again.
  void unseal() { sealed_ = false; }

  // --- everybody ----------------------------------------------------------------------------
  // A checked template from a leader. False if it is the one in hand.
  bool adopt(CheckedRef checked, const chain::Now& now);
  // A share from this node or a peer.
  enum class ShareResult : std::uint8_t {
    kAccepted,
    kKnown,
    kSurplus,        // the template in hand has all it needs
    kStale,          // for a template that was in hand before
    kOtherTemplate,  // for one that never was
    kRefused,
  };
  ShareResult share(const mining::ShareFound& share);
  // The tip moved: what was in hand is done with.
  void tip_moved(const chain::Now& now);

  [[nodiscard]] CheckedRef in_hand() const { return work_ ? work_->checked : nullptr; }
  [[nodiscard]] std::vector<mining::ShareFound> shares_in_hand() const;
  [[nodiscard]] std::uint32_t share_count() const;
  // The template in hand, to light members its header alone. Pre: there is one.
  void push(std::vector<chain::NodeId> to);
  // Template and shares for a peer that has just come.
  void show(const chain::NodeId& peer);
  [[nodiscard]] std::optional<chain::Instant> next_deadline(bool leading) const;
  [[nodiscard]] std::uint64_t templates_made() const { return templates_made_; }
  // When the tip was applied here, or this node began with it.
  [[nodiscard]] chain::Instant tip_since() const { return tip_since_; }
  [[nodiscard]] std::uint64_t easings() const { return easings_; }
  // Shares that were held for templates which did not become the tip.
  [[nodiscard]] std::uint64_t shares_lost() const { return shares_lost_; }

 private:
  struct Work {
    CheckedRef checked;
    chain::U256 target;
    chain::Instant since;              // when header.time was, on this node's monotonic clock
    std::vector<chain::Nonce> shares;  // as found
  };

  bool wants_template(const chain::Now& now, bool has_orders) const;
  bool wants_easing(const chain::Now& now) const;
  void make(chain::UnixMillis started, const chain::Now& now,
            const std::vector<chain::MemberOrder>& orders);
  void take_up(CheckedRef checked, chain::Instant since);
  void put_away();  // what is in hand, if anything
  void tell_in_hand();
  [[nodiscard]] chain::UnixMillis clock(const chain::Now& now) const;

  const Options options_;
  Ledger& ledger_;
  const Members& members_;
  Outbox& outbox_;
  std::optional<Work> work_;
  bool sealed_ = false;
  chain::Instant tip_since_;         // when the tip was applied here
  chain::Instant nothing_until_;     // the pool held nothing placeable; look again then
  std::size_t nothing_in_pool_ = 0;  // its size at that look
  std::vector<chain::Result<void>> order_results_;  // of the template made last
  std::uint64_t templates_made_ = 0;
  std::uint64_t easings_ = 0;
  std::deque<chain::TemplateHash> past_;  // the newest that were in hand, for telling stale shares
  std::uint64_t shares_lost_ = 0;
};

}  // namespace eventchain::node
