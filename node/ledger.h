#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "chain/assembler.h"
#include "chain/pending_pool.h"
#include "chain/rules.h"
#include "consensus/decision.h"
#include "store/chain_store.h"

namespace eventchain::node {

// Why a body is offered; decides which variants of a key are kept.
enum class Origin : std::uint8_t {
  kClient,        // first acceptance here
  kSubmitted,     // first acceptance of a node without a vote, which passed it on to this voter
  kPeer,          // pushed by the node that accepted it
  kPeerToLeader,  // the same, and this node leads: its word on key conflicts counts
  kAnnounced,     // asked for because a peer has it pending: nobody may have ordered it yet
  kSpread,        // asked for because a peer says that voters hold it
  kWanted,        // asked for because a block names exactly this variant
};

struct Holding {
  enum class State : std::uint8_t {
    kNew,       // now held; durable with this turn
    kPending,   // the same content was held already, without a position
    kPlaced,    // completed under this key with the same content
    kRejected,  // rejected under this key with the same content
    kConflict,  // other content under this key
    kPast,      // expects a version its stream has passed
  };
  State state = State::kNew;
  chain::Commitment commitment;                                // of the variant that is held
  chain::PendingStage stage = chain::PendingStage::kReceived;  // kNew, kPending
  std::optional<chain::Position> position;
  // kPlaced: its own; kPast, kRejected: where the stream stands
  std::optional<chain::StreamVersion> version;
  std::optional<chain::Height> height;
  std::optional<chain::RejectionReason> rejection;
};

// A block whose every rule was checked here on top of the current tip.
struct CheckedTemplate {
  chain::TemplateHash hash;
  chain::Template made;
  chain::ContentFacts facts;
  chain::Projection projection;
};

using CheckedRef = std::shared_ptr<const CheckedTemplate>;  // immutable, shared: may be megabytes
struct Checked {
  chain::Verdict verdict;
  CheckedRef made;  // nullptr unless the verdict is ok
};

// What left the pool when a block was applied.
struct Settled {
  struct Placed {
    chain::Commitment commitment;
    chain::Position position;
    chain::StreamVersion version;
  };
  std::vector<Placed> placed;
  std::vector<chain::Rejection> rejected;
  // Other variants of the same contents, which are the same events and went along.
  std::vector<Placed> placed_twins;
  std::vector<chain::Rejection> rejected_twins;
};

// The chain as this node holds it: committed state, pending events, and their rules. Owned by the
// node's core; every call belongs to the current turn.
class Ledger : private chain::ChainView {
 public:
  Ledger(store::ChainStore& store, store::ChainStore::Recovered recovered,
         const chain::PoolLimits& limits, const chain::Now& now);

  // The clock of this run: events held from an earlier one wait from now on.
  void start(const chain::Now& now);
  // Takes a checked event into the store and the pool unless it is there.
  Holding hold(const chain::HeldEvent& event, Origin origin, const chain::Now& now);
  // Forgets a pending variant of an event that has its place: no block can name it any more.
  // By value: the arguments often come from the very pool entry that goes.
  void forget(chain::EventKey key, chain::Commitment commitment);
  // The pending event under a key; of several variants the one that has come farthest.
  [[nodiscard]] const chain::PendingEvent* find_pending(const chain::EventKey& key) const;
  void mark_durable(const chain::Commitment& commitment) { pool_.mark_durable(commitment); }
  chain::Result<chain::HeldEvent> load(const chain::EntryRef& entry) {
    return store_.load_event(entry);
  }
  // Whether the key has a position. Of a pending event's key the pool knows, without a look at the
  // store; assembling and checking a block ask for each of its entries.
  [[nodiscard]] bool is_placed(const chain::EventKey& key) override;
  [[nodiscard]] bool holds(const chain::EntryRef& entry) {
    return pool_.find(entry.commitment) != nullptr || store_.holds(entry);
  }
  // Entries and rejections of a content whose bodies are not held here.
  std::vector<chain::EntryRef> missing(const chain::BlockContent& content);
  // Checks a template whose bodies are all held against every rule on top of the tip. What passed
  // is remembered until the tip moves.
  Checked check(const chain::Template& candidate);
  // nullptr unless check() passed it on top of this tip.
  [[nodiscard]] CheckedRef checked(const chain::TemplateHash& hash) const;
  chain::Assembly assemble(chain::UnixMillis started, chain::UnixMillis time, const chain::Now& now,
                           const chain::AssemblerOptions& options,
                           const std::vector<chain::MemberOrder>& orders = {});

  void keep_template(const chain::Template& made) { store_.put_template(made); }
  std::optional<chain::Template> find_template(const chain::TemplateHash& hash) {
    return store_.find_template(hash);
  }

  // Makes a checked and sealed block the tip.
  Settled apply(const CheckedTemplate& checked, const chain::Seal& seal,
                consensus::LogIndex applied);
  void set_applied(consensus::LogIndex applied);
  void note_stale(const chain::SealedHeader& sealed, std::string reason);

  chain::Result<chain::Block> block(chain::Height height) { return store_.block(height); }
  chain::MembersRef members_at(chain::Height height) { return store_.members(height); }
  // Blocks that changed the members and lack signatures of a majority of those before.
  std::vector<chain::Height> uncertified_member_changes();
  std::optional<chain::Height> height_of(const chain::BlockId& id) { return store_.height_of(id); }

  [[nodiscard]] const chain::ChainState& state() const { return state_; }
  [[nodiscard]] const chain::PendingPool& pool() const { return pool_; }
  [[nodiscard]] chain::EventLimits limits() const { return limits_; }
  [[nodiscard]] consensus::LogIndex applied() const { return applied_; }
  // As the start found it.
  [[nodiscard]] chain::Height certified_before() const { return certified_before_; }

 private:
  chain::StreamVersion stream_version(const chain::StreamKey& stream) override {
    return store_.stream_version(stream);
  }
  bool same_content(const chain::EntryRef& a, const chain::EntryRef& b);
  std::optional<chain::EventFacts> facts_of(const chain::EntryRef& entry);
  Holding existing(const store::EventRecord& record);
  bool is_placed_in_store(const chain::EventKey& key);
  // Never, but for a planted mistake.
  [[nodiscard]] bool is_forgotten(const store::EventRecord& record) const;
  chain::PendingEvent& keep(const chain::HeldEvent& event, const chain::Now& now);
  Settled settle(const CheckedTemplate& checked, std::uint64_t first_position);
  std::vector<chain::Commitment> drop_twins(const chain::EntryRef& settled);
  std::optional<chain::EventFacts> placed_facts(const chain::EventKey& key);

  store::ChainStore& store_;
  chain::ChainState state_;
  chain::PendingPool pool_;
  chain::EventLimits limits_;
  consensus::LogIndex applied_;
  const chain::Height certified_before_;
  const std::uint64_t placed_before_;  // positions when this run began
  std::map<chain::TemplateHash, CheckedRef> checked_;
};

}  // namespace eventchain::node
