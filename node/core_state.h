#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "node/block_work.h"
#include "node/catch_up.h"
#include "node/certifier.h"
#include "node/clients.h"
#include "node/clock_watch.h"
#include "node/conduct.h"
#include "node/core.h"
#include "node/decider.h"
#include "node/dismissal.h"
#include "node/durability.h"
#include "node/fetcher.h"
#include "node/forwarding.h"
#include "node/gossip.h"
#include "node/hearsay.h"
#include "node/orders.h"
#include "node/reads.h"
#include "node/serving.h"
#include "node/steward.h"
#include "node/witness.h"

namespace eventchain::node {

// The parts of the core and the routes between them. Nothing here decides: each part does what its
// own header says, and this only carries inputs to the part concerned and what one part found out
// to the others. Members are in order of dependency.
struct NodeCore::State {
  // Announcements repair what a lost link or a new leader left behind; the direct way is faster.
  static constexpr std::chrono::seconds kAnnounceEvery{5};
  // How often voters tell nodes without a vote who leads: how old an answer there is at least.
  static constexpr std::chrono::seconds kTellEvery{1};
  // A removed node's links stay for so long, so that it learns of its removal and stops.
  static constexpr std::chrono::seconds kFarewell{5};
  // How often a leader that drains tries to hand over.
  static constexpr std::chrono::milliseconds kHandOverEvery{250};

  State(const CoreOptions& core_options, store::Store& store);

  // --- inputs (core.cpp, core_clients.cpp, core_drain.cpp, core_peers.cpp, core_relay.cpp) ------
  void on(ClientSubmit input);
  void on(const ClientAsksPending& input);
  void on(const ClientReads& input);
  void on(ClientOrders input);
  void on(const OperatorDrains& input);
  void on(const PeerUp& input);
  void on(const PeerDown& input);
  void on(const PeerRefused& input);
  void on(PeerSaid input);
  void on(const MinerFound& input);
  void on(const DiskSpace& input);
  void on(const Woke& input);

  void said(const chain::NodeId& peer, const net::Hello& message);
  void said(const chain::NodeId& peer, const net::RaftSaid& message);
  void said(const chain::NodeId& peer, net::Events message);
  void said(const chain::NodeId& peer, const net::EventsHeld& message);
  void said(const chain::NodeId& peer, const net::EventsAnnounce& message);
  void said(const chain::NodeId& peer, const net::EventsRequest& message);
  void said(const chain::NodeId& peer, const net::TemplatePush& message);
  void said(const chain::NodeId& peer, const net::TemplateRequest& message);
  void said(const chain::NodeId& peer, const net::SharePush& message);
  void said(const chain::NodeId& peer, const net::TipSaid& message);
  void said(const chain::NodeId& peer, const net::BlocksRequest& message);
  void said(const chain::NodeId& peer, const net::BlocksReply& message);
  void said(const chain::NodeId& peer, const net::ReadAsk& message);
  void said(const chain::NodeId& peer, const net::ReadRound& message);
  void said(const chain::NodeId& peer, const net::ReadRoundHeld& message);
  void said(const chain::NodeId& peer, const net::ReadTold& message);
  void said(const chain::NodeId& peer, const net::Signatures& message);
  void said(const chain::NodeId& peer, const net::OrderAsk& message);
  void said(const chain::NodeId& peer, const net::OrderTold& message);
  void said(const chain::NodeId& peer, const net::SettleAsk& message);
  void said(const chain::NodeId& peer, const net::SettleHeld& message);
  void said(const chain::NodeId& peer, const net::Seen& message);

  void said(const chain::NodeId& peer, const net::HeadersRequest& message);
  void said(const chain::NodeId& peer, const net::HeadersReply& message);
  void said(const chain::NodeId& peer, const net::TemplateHeaderPush& message);

  void said(const chain::NodeId& peer, net::EventsSubmit message);
  void said(const chain::NodeId& peer, const net::EventsSettled& message);

  // --- between the parts (core.cpp, core_relay.cpp) ---------------------------------------------
  // Follows up on everything an input may have set off until nothing moves any more.
  void settle();
  void follow_up();
  void reconsider();
  void follow_leadership();
  void reopen_certificates();
  void on_applied(const AppliedBlock& block);
  void members_changed(const chain::MemberSet& before);
  void tell_members();
  [[nodiscard]] bool ends_outdated();
  void note_level(const PeerUp& input);
  void check_kind();
  void end_farewells();
  void answer_removed();
  void take_progress(const Durability::Progress& progress);
  void became_durable(const chain::EntryRef& entry, bool with_turn);
  void lead();
  void take_order(const chain::NodeId& asker, const net::OrderAsk& ask);
  std::vector<chain::MemberOrder> orders_for_block();
  void steer();
  void drain();
  [[nodiscard]] std::optional<chain::Instant> next_drain() const;
  [[nodiscard]] std::optional<DrainStatus> drain_status() const;
  void propose_seal();
  void try_adopt();
  // `counts`: of those from where it comes.
  void take_share(const mining::ShareFound& share, const std::optional<chain::NodeId>& from,
                  ShareCounts& counts);
  // What a sparse mesh needs: events, templates and shares go on from node to node.
  void accept(chain::HeldEvent event);
  net::SettleResult take_submitted(chain::HeldEvent& event, const Holding& holding);
  // Intake stops here so that what peers accepted still finds room.
  static constexpr unsigned kIntakePercent = 80;
  [[nodiscard]] bool is_pool_full() const { return ledger.pool().is_above(kIntakePercent); }
  [[nodiscard]] bool takes_events() const {
    return !disk_nearly_full && !is_pool_full() && !drain_newest;
  }
  // For what members without a vote announce. What voters announce may be durable and rest on it.
  [[nodiscard]] std::size_t room_for_announced() const {
    return takes_events() ? ledger.pool().room_below(kIntakePercent) : 0;
  }
  // What others look after leaves room for what this node's own clients bring.
  [[nodiscard]] std::size_t room_for_spread() const {
    return takes_events() ? ledger.pool().room_below(60) : 0;
  }
  void role_changed(const chain::MemberSet& before);
  void spread_on(const chain::Commitment& commitment, const Holding& holding,
                 Gossip::Knowing knowing);
  void relay_template(const CheckedTemplate& checked);
  void relay_share(const mining::ShareFound& share, const std::optional<chain::NodeId>& from);
  void told_by_block(const chain::Commitment& held) {
    forwarding.settled(held, net::SettleResult::kDurable);
  }
  [[nodiscard]] bool is_newer_to_outsider(const chain::NodeId& peer,
                                          const chain::TemplateHeader& header) const;
  void look_at_pushed();
  [[nodiscard]] std::optional<chain::NodeId> announcee();
  [[nodiscard]] bool follows_leader() const { return leader && members.is_linked(*leader); }
  [[nodiscard]] bool is_voter() const { return members.is_voter(members.self_id()); }
  [[nodiscard]] CatchUp::Standing standing() const;
  void announce_pending();
  void announce_tip();
  void tell_tip(const std::vector<chain::NodeId>& to);
  void tell_outsiders();
  // Raft's leader, or who leads by what voters say.
  [[nodiscard]] std::optional<chain::NodeId> known_leader() const;
  void retry_fetching();
  void note_certified();
  void note_freshness(const chain::NodeId& peer, const consensus::RaftMessage& message);
  void link_lost(const chain::NodeId& peer);
  void end_shunning();
  void distrust(const chain::NodeId& peer, const std::string& what);
  void peer_fault(const chain::NodeId& peer, Conduct::Fault fault, const std::string& what);
  [[nodiscard]] EventOutcome outcome_of(const chain::HeldEvent& event, const Holding& holding);
  [[nodiscard]] static bool counts_of_light(const net::Message& message);
  [[nodiscard]] bool is_leading() const { return replica.is_ready(); }
  // Also while it cannot propose yet; it may have been deposed without knowing.
  [[nodiscard]] bool has_leaders_role() const { return replica.role() == consensus::Role::kLeader; }

  const CoreOptions options;  // constant after construction
  chain::Now now;             // of the input in hand
  Outbox outbox;
  Ledger ledger;
  Members members;
  Gossip gossip;
  Fetcher fetcher;
  Decider decider;
  Durability durability;
  Forwarding forwarding;
  Clients clients;
  BlockWork work;
  consensus::Replica replica;
  Reads reads;
  Certifier certifier;
  CatchUp catch_up;
  Orders orders;
  Hearsay hearsay;
  ClockWatch clock_watch;
  Steward steward;
  Conduct conduct;
  Serving serving;
  Witness witness;
  std::map<chain::NodeId, chain::Instant> leaving;  // removed, and their links stay until then
  Dismissal dismissal;
  std::set<chain::NodeId> deaf_to;     // linked, and shunned
  std::set<chain::NodeId> distrusted;  // hung up on for its disk, and the link is not down yet
  bool is_removed = false;             // as of this turn; told last of all
  std::optional<Effect> end;           // RolledBack, Outdated: nothing is done or said any more
  NodeStatus::Counters counters;
  chain::RecentShares recent_shares{kRecentBlocks};

  std::optional<chain::NodeId> leader;
  bool was_leading = false;
  bool is_followed_up = false;                  // no input since follow_up()
  std::optional<chain::Instant> patient_until;  // how long the turn in hand may stay open
  bool disk_nearly_full = false;
  // While this node drains: the newest arrival that it waits for, and when it tries to hand over.
  std::optional<std::uint64_t> drain_newest;
  chain::Instant hand_over_at;
  // The template to take up once its bodies are here, and shares for templates not in hand.
  std::optional<chain::TemplateHeader> adopting;
  chain::NodeId adopting_from;
  // Templates at the next height that this node has had in hand; each is taken up once.
  std::set<chain::TemplateHash> taken_up;
  std::map<chain::NodeId, chain::TemplateHeader> pushed;  // the newest of each peer
  // The newest of each peer, so that nobody's take the place of another's. It shows all that it
  // holds at once; more than two times that is not worth keeping.
  [[nodiscard]] std::size_t early_shares_max() const {
    return std::max<std::size_t>(64, 2 * std::size_t{options.genesis.share_count});
  }
  std::map<chain::NodeId, std::deque<mining::ShareFound>> early_shares;
  std::optional<chain::SealedHeader> proposed;
  std::map<chain::NodeId, chain::Height> peer_tips;
  // When this node last knew that it had applied all that was committed; and, while it leads, when
  // the others last followed it.
  std::optional<chain::Instant> as_of;
  std::map<chain::NodeId, chain::Instant> followed_at;
  chain::Instant announce_at;
  chain::Instant tell_at;
  std::size_t announced = 0;  // how often
};

}  // namespace eventchain::node
