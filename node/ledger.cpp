#include "node/ledger.h"

#include <algorithm>
#include <utility>

#include "chain/planted.h"

namespace eventchain::node {

namespace {

constexpr std::size_t kCheckedMax = 4;

chain::EntryRef entry_of(const chain::EventFacts& facts) {
  return {facts.key, facts.commitment};
}

}  // namespace

Ledger::Ledger(store::ChainStore& store, store::ChainStore::Recovered recovered,
               const chain::PoolLimits& limits, const chain::Now& now)
    : store_(store),
      state_(std::move(recovered.state)),
      pool_(limits),
      limits_(chain::event_limits(state_.genesis)),
      applied_(recovered.applied),
      certified_before_(recovered.certified),
      placed_before_(state_.log.size()) {
  for (const auto& [arrival, facts] : recovered.pending)
    pool_.add(facts, arrival, now.steady).is_key_taken = is_placed_in_store(facts.key);
}

void Ledger::start(const chain::Now& now) {
  pool_.restart_waits(now.steady);
}

Holding Ledger::existing(const store::EventRecord& record) {
  Holding holding;
  holding.commitment = record.facts.commitment;
  holding.height = record.height;
  if (record.position) {
    holding.state = Holding::State::kPlaced;
    holding.position = record.position;
    holding.version = record.version;
  } else if (record.rejected) {
    holding.state = Holding::State::kRejected;
    holding.rejection = record.rejected;
    // Whoever offers it again decides anew from where the stream stands now.
    if (record.rejected != chain::RejectionReason::kKeyTaken)
      holding.version = store_.stream_version(record.facts.stream);
  } else {
    holding.state = Holding::State::kPending;
    const chain::PendingEvent* pending = pool_.find(record.facts.commitment);
    if (pending != nullptr) holding.stage = pending->stage;
  }
  return holding;
}

bool Ledger::is_placed(const chain::EventKey& key) {
  const chain::PendingEvent* pending = pool_.any_variant(key);
  return pending != nullptr ? pending->is_key_taken : is_placed_in_store(key);
}

bool Ledger::is_placed_in_store(const chain::EventKey& key) {
  if (!chain::is_planted(chain::Mistake::kDedupInMemory)) return store_.is_placed(key);
  return std::ranges::any_of(store_.find_event(key), [this](const store::EventRecord& record) {
    return record.position && !is_forgotten(record);
  });
}

bool Ledger::is_forgotten(const store::EventRecord& record) const {
  return chain::is_planted(chain::Mistake::kDedupInMemory) && record.position &&
         record.position->value < placed_before_;
}

chain::PendingEvent& Ledger::keep(const chain::HeldEvent& event, const chain::Now& now) {
  const std::uint64_t arrival = store_.put_event(event);
  return pool_.add(event.facts, arrival, now.steady);
}

Holding Ledger::hold(const chain::HeldEvent& event, Origin origin, const chain::Now& now) {
  const auto records = store_.find_event(event.facts.key);
  bool other_content = false;
  bool is_key_taken = false;
  for (const auto& record : records) {
    if (record.position && !is_forgotten(record)) is_key_taken = true;
    if (record.facts.commitment == event.facts.commitment) return existing(record);
  }
  for (const auto& record : records) {
    if (is_forgotten(record)) continue;
    const auto held = store_.load_event(entry_of(record.facts));
    const bool same = held && held->body == event.body;
    if (same && origin != Origin::kWanted) return existing(record);
    // A rejected event never took its key: other content may use it.
    if (!same && !record.rejected) other_content = true;
    const bool is_asked_for =
        origin == Origin::kWanted || origin == Origin::kAnnounced || origin == Origin::kSpread;
    if (!same && record.position && !is_asked_for) {
      Holding holding = existing(record);
      holding.state = Holding::State::kConflict;
      return holding;
    }
  }
  // Before a block has decided, other content under one key is an error of the client's. The node
  // that accepts and the leader that orders say so; a voter in between keeps both, because the
  // leader of tomorrow may have seen them in the other order.
  if (other_content && (origin == Origin::kClient || origin == Origin::kSubmitted ||
                        origin == Origin::kPeerToLeader)) {
    Holding holding;
    holding.state = Holding::State::kConflict;
    holding.commitment = records.front().facts.commitment;
    return holding;
  }
  if (origin == Origin::kClient && event.facts.expected) {
    const chain::StreamVersion stands = store_.stream_version(event.facts.stream);
    if (stands > *event.facts.expected) {
      Holding holding;
      holding.state = Holding::State::kPast;
      holding.version = stands;
      return holding;
    }
  }
  chain::PendingEvent& kept = keep(event, now);
  kept.is_key_taken = is_key_taken;
  kept.is_spread = origin == Origin::kSpread;
  Holding holding;
  holding.commitment = event.facts.commitment;
  return holding;
}

void Ledger::forget(chain::EventKey key, chain::Commitment commitment) {
  if (pool_.remove(commitment)) store_.drop_variant({key, commitment});
}

const chain::PendingEvent* Ledger::find_pending(const chain::EventKey& key) const {
  const chain::PendingEvent* best = nullptr;
  for (const chain::PendingEvent* pending : pool_.variants(key))
    if (best == nullptr || pending->stage > best->stage) best = pending;
  return best;
}

std::vector<chain::EntryRef> Ledger::missing(const chain::BlockContent& content) {
  std::vector<chain::EntryRef> missing;
  const auto look = [&](const chain::EntryRef& entry) {
    if (!holds(entry)) missing.push_back(entry);
  };
  for (const auto& entry : content.entries) look(entry);
  for (const auto& item : content.annex) {
    if (const auto* rejection = std::get_if<chain::Rejection>(&item))
      look({rejection->key, rejection->commitment});
  }
  return missing;
}

std::optional<chain::EventFacts> Ledger::facts_of(const chain::EntryRef& entry) {
  if (const chain::PendingEvent* pending = pool_.find(entry.commitment)) return pending->facts;
  for (const auto& record : store_.find_event(entry.key))
    if (record.facts.commitment == entry.commitment) return record.facts;
  return std::nullopt;
}

CheckedRef Ledger::checked(const chain::TemplateHash& hash) const {
  const auto found = checked_.find(hash);
  return found == checked_.end() ? nullptr : found->second;
}

Checked Ledger::check(const chain::Template& candidate) {
  const chain::TemplateHash hash = chain::template_hash(candidate.header);
  if (CheckedRef known = checked(hash)) return {{}, std::move(known)};
  auto made = std::make_shared<CheckedTemplate>();
  made->facts.entries.reserve(candidate.content.entries.size());
  const auto gather = [&](const chain::EntryRef& entry, std::vector<chain::EventFacts>& into) {
    const auto facts = facts_of(entry);
    if (facts) into.push_back(*facts);
    return facts.has_value();
  };
  const chain::Verdict mismatch{chain::Rule::kKeyMismatch, chain::Blame::kLeader};
  for (const auto& entry : candidate.content.entries)
    if (!gather(entry, made->facts.entries)) return {mismatch, nullptr};
  for (const auto& item : candidate.content.annex) {
    if (const auto* rejection = std::get_if<chain::Rejection>(&item)) {
      if (!gather({rejection->key, rejection->commitment}, made->facts.rejections))
        return {mismatch, nullptr};
    }
  }
  const chain::Verdict verdict =
      chain::check_template(state_, *this, candidate, made->facts, &made->projection);
  if (!verdict.ok()) return {verdict, nullptr};
  made->hash = hash;
  made->made = candidate;
  // A leader eases a target or follows another a few times at one height, no more.
  if (checked_.size() >= kCheckedMax) checked_.erase(checked_.begin());
  checked_.emplace(hash, made);
  return {verdict, std::move(made)};
}

bool Ledger::same_content(const chain::EntryRef& a, const chain::EntryRef& b) {
  const auto left = store_.load_event(a);
  const auto right = store_.load_event(b);
  return left && right && left->body == right->body;
}

std::optional<chain::EventFacts> Ledger::placed_facts(const chain::EventKey& key) {
  for (const auto& record : store_.find_event(key))
    if (record.position) return record.facts;
  return std::nullopt;
}

chain::Assembly Ledger::assemble(chain::UnixMillis started, chain::UnixMillis time,
                                 const chain::Now& now, const chain::AssemblerOptions& options,
                                 const std::vector<chain::MemberOrder>& orders) {
  return chain::assemble(
      state_, *this, pool_,
      [this](const chain::EventFacts& a, const chain::EventFacts& b) {
        return same_content(entry_of(a), entry_of(b));
      },
      [this](const chain::EventKey& key) { return placed_facts(key); }, started, time, now.steady,
      options, orders);
}

// Other variants of a key with the very same content (another salt) are this event and go with it.
// Variants with other content stay pending: the leader records their rejection, because somebody
// may have been told that they are durable.
std::vector<chain::Commitment> Ledger::drop_twins(const chain::EntryRef& settled) {
  std::vector<chain::EntryRef> twins;
  for (const chain::PendingEvent* variant : pool_.variants(settled.key))
    if (same_content(entry_of(variant->facts), settled)) twins.push_back(entry_of(variant->facts));
  std::vector<chain::Commitment> dropped;
  for (const auto& twin : twins) {
    pool_.remove(twin.commitment);
    store_.drop_variant(twin);
    dropped.push_back(twin.commitment);
  }
  return dropped;
}

Settled Ledger::settle(const CheckedTemplate& checked, std::uint64_t first_position) {
  Settled settled;
  settled.placed.reserve(checked.facts.entries.size());
  // The block may settle several variants of one content (two salts of a rejected event), and
  // those are no twins to be forgotten: all that it names leaves the pool before twins are looked
  // for.
  for (std::size_t i = 0; i < checked.facts.entries.size(); ++i) {
    const chain::EventFacts& facts = checked.facts.entries[i];
    settled.placed.push_back(
        {facts.commitment, chain::Position{first_position + i}, checked.projection.versions[i]});
    pool_.remove(facts.commitment);
  }
  for (const auto& item : checked.made.content.annex) {
    const auto* rejection = std::get_if<chain::Rejection>(&item);
    if (rejection == nullptr) continue;
    settled.rejected.push_back(*rejection);
    pool_.remove(rejection->commitment);
  }
  for (std::size_t i = 0; i < checked.facts.entries.size(); ++i) {
    for (const auto& twin : drop_twins(entry_of(checked.facts.entries[i]))) {
      settled.placed_twins.push_back(settled.placed[i]);
      settled.placed_twins.back().commitment = twin;
    }
    pool_.mark_key_taken(checked.facts.entries[i].key);
  }
  for (const auto& rejection : settled.rejected) {
    for (const auto& twin : drop_twins({rejection.key, rejection.commitment})) {
      settled.rejected_twins.push_back(rejection);
      settled.rejected_twins.back().commitment = twin;
    }
  }
  return settled;
}

Settled Ledger::apply(const CheckedTemplate& checked, const chain::Seal& seal,
                      consensus::LogIndex applied) {
  const chain::SealedHeader sealed{checked.made.header, seal};
  EC_ASSERT(sealed.header.parent == state_.tip, "a block is applied on its parent only");
  chain::Advanced advanced =
      chain::advance(state_, sealed, checked.projection.log, checked.projection.members);

  store::BlockApplication application;
  application.block = {sealed, checked.made.content};
  application.id = advanced.state.tip;
  application.first_position = checked.projection.first_position;
  application.facts = checked.facts.entries;
  application.versions = checked.projection.versions;
  application.rejected = checked.facts.rejections;
  application.tree_hashes = checked.projection.tree_hashes;
  application.history_nodes = advanced.history_nodes;
  application.log_peaks = advanced.state.log.peaks();
  application.history_peaks = advanced.state.history.peaks();
  if (advanced.state.members != state_.members) application.members = advanced.state.members;
  application.applied = applied;
  store_.apply_block(application);
  Settled settled = settle(checked, application.first_position);
  state_ = std::move(advanced.state);
  applied_ = applied;
  checked_.clear();
  return settled;
}

std::vector<chain::Height> Ledger::uncertified_member_changes() {
  std::vector<chain::Height> heights = store_.member_changes();
  std::erase_if(heights, [this](chain::Height height) {
    return chain::is_certified(store_.signatures(height), *store_.members(height),
                               *store_.members(height.next()));
  });
  return heights;
}

void Ledger::set_applied(consensus::LogIndex applied) {
  store_.set_applied(applied);
  applied_ = applied;
}

void Ledger::note_stale(const chain::SealedHeader& sealed, std::string reason) {
  store_.put_stale({sealed, std::move(reason)});
}

}  // namespace eventchain::node
