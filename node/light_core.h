#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "chain/features.h"
#include "chain/genesis.h"
#include "chain/signing.h"
#include "node/conduct.h"
#include "node/dismissal.h"
#include "node/header_chain.h"
#include "node/header_work.h"
#include "node/machine.h"
#include "node/members.h"
#include "node/outbox.h"
#include "store/light_store.h"

namespace eventchain::node {

struct LightOptions {
  chain::NodeId self;
  bool mines = true;
  chain::Signing* signing = nullptr;  // checks signatures; outlives the core, never null
  // What this program can do. Another than the own one is for tests of clusters of mixed versions.
  std::uint16_t feature_level = chain::kFeatureLevelMax;
  // Of the genesis' work function; outlives the core. Null: chain::plain_digest().
  const chain::ShareDigest* digest = nullptr;
};

// A light member as one machine (machine.h): follows the chain by headers, annexes and
// certificates, and mines. It keeps no entries and no bodies, has no vote and no leader, and serves
// nobody; it speaks with members of every other role, and never with one of its own.
//
// Following: peers tell their tips and hand on certificates, as they do to every node outside Raft.
// Whoever claims more than this node has is asked for headers above its tip, one peer at a time; an
// answer counts only if it ends at a block with a certificate (HeaderChain). A peer that sends what
// no correct one does is hung up on and shunned for a while (Conduct).
class LightCore : public Machine {
 public:
  // After a tip was told, certificates mostly follow at once.
  static constexpr std::chrono::milliseconds kGrace{300};
  // Who has not answered by then is passed over.
  static constexpr std::chrono::seconds kAnswerWithin{3};

  // Recovers from the store. Call inside a turn. `store` outlives the core.
  LightCore(const LightOptions& options, store::LightStore& store);

  void start(const chain::Now& now) override;
  void handle(const chain::Now& now, Input input) override;
  Step step(const chain::Now& now) override;
  Effects take_effects() override;
  [[nodiscard]] chain::Instant next_wakeup() const override;
  [[nodiscard]] NodeStatus status() const override;
  // Nobody tells a light member what was committed, only what was signed.
  [[nodiscard]] std::optional<chain::Instant> as_of() const override { return std::nullopt; }
  [[nodiscard]] chain::Height certified() const override { return chain_.state().height(); }

  [[nodiscard]] const chain::HeaderState& chain_state() const { return chain_.state(); }

 private:
  // What a peer says that it has above this node's tip.
  struct Claim {
    chain::Height height;
    chain::Instant again;               // not asked before
    std::chrono::milliseconds wait{0};  // after an answer of nothing; doubles
  };
  struct Question {
    chain::NodeId peer;
    chain::Height from;
    chain::Instant until;
  };

  void on(const ClientSubmit& input);
  void on(const ClientAsksPending& input);
  void on(const ClientReads& input);
  void on(const ClientOrders& input);
  void on(const PeerUp& input);
  void on(const PeerDown& input);
  void on(const PeerRefused& input);
  void on(const PeerSaid& input);
  void on(const MinerFound& input) { work_.share(input.share); }
  void on(const DiskSpace&) {}       // it takes nothing in, so that there is nothing to
  void on(const OperatorDrains&) {}  // drain either
  void on(const Woke&);

  void said(const chain::NodeId& peer, const net::TipSaid& message);
  void said(const chain::NodeId& peer, const net::Signatures& message);
  void said(const chain::NodeId& peer, const net::HeadersReply& message);
  void said(const chain::NodeId& peer, const net::TemplateHeaderPush& message);
  // What peers say to everybody, or to somebody whom they do not know to be light yet.
  template <class Other>
  void said(const chain::NodeId&, const Other&) {}
  void tell_of_fork(const net::HeadersReply& reply);

  void claims(const chain::NodeId& peer, chain::Height height, chain::Instant ask_at,
              bool has_proof);
  void ask_if_due();
  [[nodiscard]] std::optional<chain::NodeId> pick() const;
  void found_nothing(const chain::NodeId& peer);
  void applied(const std::vector<chain::SealedHeader>& blocks);
  void members_changed();
  void check_kind();
  void fault(const chain::NodeId& peer, const std::string& what);
  void link_lost(const chain::NodeId& peer);

  const LightOptions options_;
  chain::Now now_;            // of the input in hand
  chain::Instant tip_since_;  // when the tip was applied here
  Outbox outbox_;
  HeaderChain chain_;
  Members members_;
  HeaderWork work_;
  Conduct conduct_;
  Dismissal dismissal_;
  std::map<chain::NodeId, Claim> claims_;
  std::map<chain::NodeId, chain::Height> peer_tips_;  // as last said
  std::optional<Question> question_;
  std::optional<chain::NodeId> asked_last_;
  bool was_told_of_fork_ = false;
  std::optional<Outdated> end_;  // nothing is done or said any more
  NodeStatus::Counters counters_;
  chain::RecentShares recent_shares_{kRecentBlocks};
};

}  // namespace eventchain::node
