#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "chain/certificate.h"
#include "consensus/replica.h"
#include "node/fetcher.h"
#include "node/ledger.h"
#include "node/outbox.h"

namespace eventchain::node {

// What became canonical here, for the rest of the core to act on.
struct AppliedBlock {
  chain::SealedHeader sealed;
  chain::BlockId id;
  std::uint64_t log_size = 0;
  chain::MembersRef before;  // the members that its header names
  chain::MembersRef after;   // in force after it; `before` itself if it changes none
  Settled settled;
  std::vector<chain::MemberOrder> orders;  // in its annex
  // Of the last block of a run that a certificate proved; verified.
  chain::Certificate certificate;
};

// Who answers for a block: the peer that sent it, or the server that proposed it to Raft.
using Author = std::variant<chain::NodeId, consensus::ServerId>;
struct Offence {
  Author author;
  std::string what;  // no correct node does it
};

// Why the blocks of a reply are canonical, though Raft did not say so here: their last one is
// certified. And who said it.
struct Proof {
  consensus::ChainPoint last;
  chain::Certificate certificate;
  chain::NodeId from;
};

// Stands between Raft and the chain. As the gate it lets a decision into the log only when this
// node holds every body of the block and has checked every rule; as the state machine it applies
// what Raft committed. Also catches up block by block: towards the point of a Raft snapshot, where
// Raft's log no longer reaches back, and as far as a certificate proves. Blocks that came that way
// leave the applied index where it is; Raft's decisions on them change nothing when they come.
// Owned by the node's core; called inside the replica's calls, so it never calls the replica.
class Decider : public consensus::Admission, public consensus::StateMachine {
 public:
  // `level`: the feature level that this program can do. Nothing is let in or applied on top of a
  // block that raised the cluster's above it.
  // `digest`: of the genesis' work function; outlives it.
  Decider(Ledger& ledger, Fetcher& fetcher, Outbox& outbox, const chain::ShareDigest& digest,
          std::uint16_t level)
      : ledger_(ledger), fetcher_(fetcher), outbox_(outbox), digest_(digest), level_(level) {}

  // The time and the leader that hold for the calls that follow.
  void at(const chain::Now& now, std::optional<chain::NodeId> leader);

  Answer admit(consensus::LogIndex index, const consensus::Entry& entry,
               std::optional<consensus::ServerId> maker) override;
  Answer admit_snapshot(const consensus::Snapshot& snapshot) override;
  void apply(consensus::LogIndex index, const consensus::Entry& entry) override;
  chain::Bytes take_snapshot() override;
  void restore(const consensus::Snapshot& snapshot) override;

  // What arrived, and who sent it; true if the gate should be asked again.
  bool arrived(chain::Template made, const chain::NodeId& from);
  bool arrived(const chain::EntryRef& entry);
  // Blocks towards the point of a snapshot; without one they are nothing to go by. Taken from the
  // leader, whose snapshot it is, and from anybody if they lead from the tip to the point itself.
  void arrived(const chain::NodeId& peer, const net::BlocksReply& reply);
  // Blocks that a certificate proves. Pre: they follow one another, up to the proof's point; the
  // one that follows the tip is among them, on top of it.
  void follow(const net::BlocksReply& reply, Proof proof);
  // Goes on with blocks that arrived, after the tip moved.
  void go_on();
  [[nodiscard]] bool is_following() const { return proof_.has_value(); }
  // When it last came further.
  [[nodiscard]] chain::Instant followed_at() const { return followed_at_; }
  // Lets go of the blocks that it follows. Pre: is_following().
  void give_up();
  // Whose blocks were let go of.
  std::optional<chain::NodeId> take_given_up() { return std::exchange(given_up_, std::nullopt); }
  [[nodiscard]] bool awaits_snapshot() const {
    return target_ && ledger_.state().height() < target_->height;
  }
  // Who sent a content that does not belong to its header, or a block on top of the tip that breaks
  // a rule and is nobody's truth. A correct node proposes and hands on only what it has checked
  // itself, on the same parent with the same outcome.
  std::vector<Offence> take_offences() { return std::exchange(offences_, {}); }
  // Whether a template next in line names exactly this variant and waits for it.
  [[nodiscard]] bool awaits(const chain::EntryRef& entry) const;
  // A template to work on, checked on top of the tip, or nullptr while something is missing (it is
  // asked for) or if it breaks a rule. One at a time: for another nothing is fetched any more.
  // `from`: who pushed the header.
  CheckedRef adopt(const chain::TemplateHash& hash, const chain::TemplateHeader& header,
                   const chain::NodeId& from);
  // A template that was checked here: what others are sent. A correct peer hands on nothing else,
  // so whoever sends a false content made it.
  std::optional<chain::Template> find_template(const chain::TemplateHash& hash) {
    return ledger_.find_template(hash);
  }
  // Asks for what the entries behind the first one held back will need.
  void prefetch(const std::vector<consensus::Entry>& held_back);

  std::vector<AppliedBlock> take_applied() { return std::exchange(applied_, {}); }

 private:
  // A content that somebody said belongs to a header.
  struct Offered {
    chain::Template made;
    chain::NodeId from;
    bool is_trusted = false;   // it was asked for, or the leader sent it
    std::uint64_t number = 0;  // of all, as they came
    bool is_received = false;  // of a block of the catch-up
  };
  // A block of the catch-up.
  struct Received {
    chain::Block block;
    chain::NodeId from;
    bool is_vouched = false;  // by a certificate, or by the leader's snapshot, whoever sent it
  };

  using Bodies = std::unordered_set<chain::Commitment, chain::FixedBytesHash>;

  // Like adopt(), for whatever needs it. `author`: who answers for the header; nullopt: nobody, for
  // it is vouched for, or not certain.
  CheckedRef prepare(const chain::TemplateHash& hash, const chain::TemplateHeader& header,
                     const std::optional<Author>& author);
  CheckedRef examine(const chain::SealedHeader& sealed, const std::optional<Author>& author);
  void await_bodies(const chain::TemplateHash& hash, const std::vector<chain::EntryRef>& missing);
  void forget_awaited(const chain::TemplateHash& hash);
  // Lets go of what is fetched for templates that nothing needs any more.
  void forget_unneeded();
  // Bodies that no template waits for, unless another one does.
  void release(const Bodies& bodies);
  // What was offered is not what the header promises.
  void misled(const chain::TemplateHash& hash, const chain::TemplateHeader& header);
  void forget_offered(const chain::TemplateHash& hash);
  void make_room(const chain::NodeId& from, bool is_trusted);
  void make_tip(const CheckedTemplate& checked, const chain::SealedHeader& sealed,
                consensus::LogIndex applied);
  void catch_up();
  [[nodiscard]] bool is_outdated() const;
  // Pre: there is one.
  [[nodiscard]] bool leads_to_target(const net::BlocksReply& reply) const;
  // The received block on top of the tip, if it is proven.
  [[nodiscard]] const chain::Block* proven_next() const;
  void offer(const chain::TemplateHash& hash, const Received& received);
  [[nodiscard]] bool is_reported(const chain::SealedHeader& sealed) const;
  // Tells people, and notes who is to blame.
  void report(const chain::TemplateHeader& header, const chain::Verdict& verdict,
              const std::vector<Author>& authors);

  Ledger& ledger_;
  Fetcher& fetcher_;
  Outbox& outbox_;
  const chain::ShareDigest& digest_;
  const std::uint16_t level_;
  chain::Now now_;
  std::optional<chain::NodeId> leader_;
  // Templates that arrived and are not checked yet; a few, of heights above the tip.
  std::map<chain::TemplateHash, Offered> offered_;
  std::uint64_t offers_ = 0;
  // Bodies that templates on top of the tip wait for; none is empty.
  std::map<chain::TemplateHash, Bodies> awaited_;
  std::map<chain::TemplateHash, Bodies> prefetched_;  // asked for ahead of their turn
  // What bodies and templates are fetched for, besides blocks that were received: decisions at the
  // gate and the template to work on.
  std::set<chain::TemplateHash> held_back_;
  chain::TemplateHash adopting_;
  std::optional<consensus::ChainPoint> target_;  // catch-up by blocks runs up to here
  std::map<chain::Height, Received> received_;   // one reply at most
  // Of what was received. While there is one, `received_` reaches from the tip to its point.
  std::optional<Proof> proof_;
  chain::Instant followed_at_;
  std::optional<chain::NodeId> given_up_;
  std::vector<Offence> offences_;
  chain::TemplateHash reported_;  // its header, or the content that belongs to it, breaks a rule
  chain::BlockId reported_seal_;  // of a sound template
  std::vector<AppliedBlock> applied_;
};

}  // namespace eventchain::node
