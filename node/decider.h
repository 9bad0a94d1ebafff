#pragma once

#include <map>
#include <optional>
#include <unordered_set>
#include <vector>

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
  chain::MembersRef members;  // that its header names
  Settled settled;
};

// Stands between Raft and the chain. As the gate it lets a decision into the log only when this
// node holds every body of the block and has checked every rule; as the state machine it applies
// what Raft committed. Also catches up block by block when Raft's log no longer reaches back.
// Owned by the node's core; called inside the replica's calls, so it never calls the replica.
class Decider : public consensus::Admission, public consensus::StateMachine {
 public:
  Decider(Ledger& ledger, Fetcher& fetcher, Outbox& outbox)
      : ledger_(ledger), fetcher_(fetcher), outbox_(outbox) {}

  // The time and the leader that hold for the calls that follow.
  void at(const chain::Now& now, std::optional<chain::NodeId> leader);

  Answer admit(consensus::LogIndex index, const consensus::Entry& entry) override;
  Answer admit_snapshot(const consensus::Snapshot& snapshot) override;
  void apply(consensus::LogIndex index, const consensus::Entry& entry) override;
  chain::Bytes take_snapshot() override;
  void restore(const consensus::Snapshot& snapshot) override;

  // What arrived; true if the gate should be asked again.
  bool arrived(chain::Template made);
  bool arrived(const chain::EntryRef& entry);
  bool arrived(const net::BlocksReply& reply);
  // Whether a template next in line names exactly this variant and waits for it.
  [[nodiscard]] bool awaits(const chain::EntryRef& entry) const {
    return awaited_.contains(entry.commitment);
  }
  // A template checked on top of the tip, or nullptr while something is missing (it is asked for)
  // or if it breaks a rule.
  CheckedRef prepare(const chain::TemplateHash& hash, const chain::TemplateHeader& header);
  // A template that arrived or is stored, checked or not.
  std::optional<chain::Template> find_template(const chain::TemplateHash& hash);
  // Asks for what the entries behind the first one held back will need.
  void prefetch(const std::vector<consensus::Entry>& held_back);

  std::vector<AppliedBlock> take_applied() { return std::exchange(applied_, {}); }

 private:
  CheckedRef examine(const chain::SealedHeader& sealed);
  bool await_bodies(const chain::BlockContent& content);
  void make_tip(const CheckedTemplate& checked, const chain::SealedHeader& sealed,
                consensus::LogIndex applied);
  void catch_up();
  void report(const chain::TemplateHeader& header, const chain::Verdict& verdict);

  Ledger& ledger_;
  Fetcher& fetcher_;
  Outbox& outbox_;
  chain::Now now_;
  std::optional<chain::NodeId> leader_;
  // Templates that arrived and are not checked yet; a few, of heights above the tip.
  std::map<chain::TemplateHash, chain::Template> offered_;
  // Bodies that the decision next in line waits for.
  std::unordered_set<chain::Commitment, chain::FixedBytesHash> awaited_;
  chain::TemplateHash awaited_for_;
  std::map<chain::TemplateHash, bool> prefetched_;  // true: its bodies were asked for
  std::optional<consensus::ChainPoint> target_;     // catch-up by blocks runs up to here
  std::map<chain::Height, chain::Block> received_;  // blocks of the catch-up; one reply at most
  chain::TemplateHash reported_;
  std::vector<AppliedBlock> applied_;
};

}  // namespace eventchain::node
