#include "chain/rules.h"

#include <algorithm>
#include <unordered_set>

#include "chain/block_overlay.h"
#include "chain/stamp.h"

namespace eventchain::chain {

namespace {

constexpr Verdict kGood{};

// The leader alone makes templates and seals, so every fault of one is the leader's: whoever passed
// it on may have done so before checking it.
constexpr Verdict leader(Rule rule) {
  return Verdict{rule, Blame::kLeader};
}

Verdict check_annex_root(const TemplateHeader& header, const std::vector<AnnexItem>& annex) {
  if (annex.size() > kBlockAnnexLimit) return leader(Rule::kTooManyEvents);
  return annex_root(annex) == header.annex_root ? kGood : leader(Rule::kWrongAnnexRoot);
}

Verdict check_sizes(const ChainState& state, const Template& candidate, const ContentFacts& facts) {
  const BlockContent& content = candidate.content;
  if (content.entries.size() != candidate.header.log_size - state.log.size())
    return leader(Rule::kWrongLogSize);
  std::uint64_t bytes = 0;
  for (const EventFacts& entry : facts.entries) bytes += entry.body_bytes;
  if (bytes > state.genesis.block_bytes_max) return leader(Rule::kTooManyBytes);
  return check_annex_root(candidate.header, content.annex);
}

Verdict check_key(BlockOverlay& overlay, const EntryRef& entry, const EventFacts& facts) {
  if (entry.key != facts.key || entry.commitment != facts.commitment)
    return leader(Rule::kKeyMismatch);
  return overlay.take_key(facts) ? kGood : leader(Rule::kDuplicateKey);
}

// The verdict on the first entry that breaks a rule; fills `versions`. All keys come first, see
// BlockOverlay, and then the streams of the entries whose keys were good.
Verdict check_entries(BlockOverlay& overlay, const std::vector<EntryRef>& entries,
                      const std::vector<EventFacts>& facts, std::vector<StreamVersion>& versions) {
  Verdict verdict;
  std::size_t good = 0;
  while (good < entries.size()) {
    verdict = check_key(overlay, entries[good], facts[good]);
    if (!verdict.ok()) break;
    ++good;
  }
  versions.reserve(good);
  for (std::size_t i = 0; i < good; ++i) {
    const StreamVersion given = overlay.move_stream(facts[i].stream);
    const StreamVersion before{given.value - 1};
    if (facts[i].expected.has_value() && *facts[i].expected != before)
      return leader(Rule::kVersionExpectation);
    versions.push_back(given);
  }
  return verdict;
}

// Pre: every entry of the block is in the overlay. A rejection speaks of the stream as the block
// leaves it, so the order of entries and rejections cannot matter.
bool is_justified(BlockOverlay& overlay, const Rejection& rejection, const EventFacts& facts) {
  const EventFacts* here = overlay.placed_here(facts.key);
  if (here != nullptr && here->commitment == facts.commitment) return false;
  const bool is_key_taken = here != nullptr || overlay.is_placed_before(facts.key);
  if (rejection.reason == RejectionReason::kKeyTaken)
    return is_key_taken && rejection.stream_version == kEmptyStream;

  // An event that has a position, in whatever variant, is not refused for its version any more.
  if (is_key_taken || !facts.expected.has_value()) return false;
  const StreamVersion reached = overlay.version(facts.stream);
  if (rejection.stream_version != reached) return false;
  return rejection.reason == RejectionReason::kVersionConflict ? *facts.expected < reached
                                                               : *facts.expected > reached;
}

Verdict check_rejections(BlockOverlay& overlay, const std::vector<AnnexItem>& annex,
                         const std::vector<EventFacts>& facts) {
  std::unordered_set<Commitment, FixedBytesHash> rejected;
  std::size_t next = 0;
  for (const AnnexItem& item : annex) {
    const auto* rejection = std::get_if<Rejection>(&item);
    if (rejection == nullptr) continue;
    EC_ASSERT(next < facts.size(), "one facts for each rejection");
    const EventFacts& rejected_facts = facts[next++];
    if (rejection->key != rejected_facts.key || rejection->commitment != rejected_facts.commitment)
      return leader(Rule::kKeyMismatch);
    if (!rejected.insert(rejection->commitment).second ||
        !is_justified(overlay, *rejection, rejected_facts))
      return leader(Rule::kUnjustifiedRejection);
  }
  return kGood;
}

// Fills `after`: the state's own set if the annex has no order.
Verdict check_orders(const HeaderState& state, const TemplateHeader& header,
                     const std::vector<AnnexItem>& annex, MembersRef& after) {
  std::optional<MemberChange> change;
  for (const AnnexItem& item : annex) {
    const auto* order = std::get_if<MemberOrder>(&item);
    if (order == nullptr) continue;
    if (!change) change.emplace(state.members, header.height, header.time);
    if (!change->apply(*order)) return leader(Rule::kWrongMemberOrder);
  }
  after = change ? change->take() : state.members;
  return kGood;
}

// Before any digest: one may take long, and who belongs to the chain is known at once.
bool has_slot(const HeaderState& state, const Nonce& nonce) {
  return member_at(*state.members, nonce.slot()) != nullptr;
}

}  // namespace

const char* to_string(Rule rule) {
  switch (rule) {
    case Rule::kOk:
      return "ok";
    case Rule::kWrongChain:
      return "wrong-chain";
    case Rule::kWrongParent:
      return "wrong-parent";
    case Rule::kWrongHeight:
      return "wrong-height";
    case Rule::kTimeBeforeParent:
      return "time-before-parent";
    case Rule::kTimeBeforeStart:
      return "time-before-start";
    case Rule::kTimeTooLate:
      return "time-too-late";
    case Rule::kWrongTarget:
      return "wrong-target";
    case Rule::kWrongShareCount:
      return "wrong-share-count";
    case Rule::kWrongMemberSet:
      return "wrong-member-set";
    case Rule::kWrongLogSize:
      return "wrong-log-size";
    case Rule::kWrongLogRoot:
      return "wrong-log-root";
    case Rule::kWrongHistoryRoot:
      return "wrong-history-root";
    case Rule::kWrongAnnexRoot:
      return "wrong-annex-root";
    case Rule::kTooManyEvents:
      return "too-many-events";
    case Rule::kTooManyBytes:
      return "too-many-bytes";
    case Rule::kDuplicateKey:
      return "duplicate-key";
    case Rule::kKeyMismatch:
      return "key-mismatch";
    case Rule::kVersionExpectation:
      return "version-expectation";
    case Rule::kUnjustifiedRejection:
      return "unjustified-rejection";
    case Rule::kWrongMemberOrder:
      return "wrong-member-order";
    case Rule::kShareMissesTarget:
      return "share-misses-target";
    case Rule::kShareSlotUnknown:
      return "share-slot-unknown";
    case Rule::kSharesNotDistinct:
      return "shares-not-distinct";
    case Rule::kSealedBeforeTime:
      return "sealed-before-time";
  }
  return "unknown";
}

HeaderState initial_header_state(const Genesis& genesis) {
  const SealedHeader block = genesis_block(genesis);
  HeaderState state{genesis,
                    block.header.chain,
                    std::make_shared<const MemberSet>(first_members(genesis)),
                    block.header.member_set,
                    block_id(block),
                    block,
                    History()};
  state.history.append(
      history_leaf(state.tip, block_work(block.header), block.header.time, block.seal.sealed_at));
  return state;
}

ChainState initial_state(const Genesis& genesis) {
  return {initial_header_state(genesis), LogTree()};
}

Verdict check_header(const HeaderState& state, const TemplateHeader& header) {
  const SealedHeader& parent = state.tip_header;
  if (header.chain != state.chain) return Verdict{Rule::kWrongChain, Blame::kSender};
  // Another parent is what an honest peer has who is a block ahead or behind.
  if (header.parent != state.tip) return Verdict{Rule::kWrongParent, Blame::kNobody};
  if (header.height != parent.header.height.next()) return leader(Rule::kWrongHeight);
  if (header.started < parent.seal.sealed_at) return leader(Rule::kTimeBeforeParent);
  if (header.time < header.started) return leader(Rule::kTimeBeforeStart);
  if (header.time > kStampMax) return leader(Rule::kTimeTooLate);
  if (header.share_target != required_target(state.genesis, parent, header.started, header.time))
    return leader(Rule::kWrongTarget);
  if (header.share_count != state.genesis.share_count) return leader(Rule::kWrongShareCount);
  if (header.member_set != state.member_set) return leader(Rule::kWrongMemberSet);
  if (header.history_root != state.history.root()) return leader(Rule::kWrongHistoryRoot);
  if (header.log_size < parent.header.log_size) return leader(Rule::kWrongLogSize);
  if (header.log_size - parent.header.log_size > state.genesis.block_events_max)
    return leader(Rule::kTooManyEvents);
  return kGood;
}

Verdict check_template(const ChainState& state, ChainView& view, const Template& candidate,
                       const ContentFacts& facts, Projection* projection) {
  const BlockContent& content = candidate.content;
  if (const Verdict verdict = check_header(state, candidate.header); !verdict.ok()) return verdict;
  EC_ASSERT(facts.entries.size() == content.entries.size(), "one facts for each entry");
  if (const Verdict verdict = check_sizes(state, candidate, facts); !verdict.ok()) return verdict;

  BlockOverlay overlay(view, content.entries.size());
  Projection result{{}, state.log.size(), state.log, {}, {}};
  const Verdict placing = check_entries(overlay, content.entries, facts.entries, result.versions);
  if (!placing.ok()) return placing;
  const Verdict refusing = check_rejections(overlay, content.annex, facts.rejections);
  if (!refusing.ok()) return refusing;
  const Verdict ordering = check_orders(state, candidate.header, content.annex, result.members);
  if (!ordering.ok()) return ordering;
  // A leaf for each entry, and a root for each complete subtree of 256.
  result.tree_hashes.reserve(content.entries.size() + content.entries.size() / 255 + 2);
  for (const EntryRef& entry : content.entries)
    result.log.append(log_leaf(entry.commitment), &result.tree_hashes);
  if (result.log.root() != candidate.header.log_root) return leader(Rule::kWrongLogRoot);
  if (projection != nullptr) *projection = std::move(result);
  return kGood;
}

MembersRef members_after(const ChainState& state, const Template& candidate) {
  MembersRef after;
  const Verdict ordering = check_orders(state, candidate.header, candidate.content.annex, after);
  return ordering.ok() ? after : state.members;
}

Verdict check_annex(const HeaderState& state, const TemplateHeader& header,
                    const std::vector<AnnexItem>& annex, MembersRef* after) {
  if (const Verdict verdict = check_annex_root(header, annex); !verdict.ok()) return verdict;
  MembersRef members;
  const Verdict ordering = check_orders(state, header, annex, members);
  if (ordering.ok() && after != nullptr) *after = std::move(members);
  return ordering;
}

Verdict check_share(const HeaderState& state, const ShareDigest& digest,
                    const TemplateHeader& header, const Nonce& nonce) {
  EC_ASSERT(digest.function() == state.genesis.work_function,
            "shares of one chain have one digest");
  const Result<U256> target = expand(header.share_target);
  if (!target) return leader(Rule::kWrongTarget);
  if (!has_slot(state, nonce)) return Verdict{Rule::kShareSlotUnknown, Blame::kSender};
  return share_meets(digest, header, nonce, *target)
             ? kGood
             : Verdict{Rule::kShareMissesTarget, Blame::kSender};
}

Verdict check_seal(const HeaderState& state, const ShareDigest& digest,
                   const SealedHeader& sealed) {
  EC_ASSERT(digest.function() == state.genesis.work_function,
            "shares of one chain have one digest");
  const TemplateHeader& header = sealed.header;
  const std::vector<Nonce>& shares = sealed.seal.shares;
  if (shares.size() != state.genesis.share_count) return leader(Rule::kWrongShareCount);
  if (sealed.seal.sealed_at < header.time) return leader(Rule::kSealedBeforeTime);
  if (sealed.seal.sealed_at > kStampMax) return leader(Rule::kTimeTooLate);
  const auto is_not_ascending = [](const Nonce& a, const Nonce& b) { return a >= b; };
  if (std::adjacent_find(shares.begin(), shares.end(), is_not_ascending) != shares.end())
    return leader(Rule::kSharesNotDistinct);
  const Result<U256> target = expand(header.share_target);
  if (!target) return leader(Rule::kWrongTarget);
  std::vector<SharePreimage> preimages;
  preimages.reserve(shares.size());
  const TemplateHash hash_of_template = template_hash(header);
  for (const Nonce& share : shares) {
    if (!has_slot(state, share)) return leader(Rule::kShareSlotUnknown);
    preimages.push_back(share_preimage(header, hash_of_template, share));
  }
  const std::vector<Hash> hashes = digest.digests(preimages);
  for (std::size_t i = 0; i < hashes.size(); ++i)
    if (!meets(digest, preimages[i], hashes[i], *target)) return leader(Rule::kShareMissesTarget);
  return kGood;
}

void advance_headers(HeaderState& state, const SealedHeader& sealed, MembersRef members_after,
                     std::vector<HistoryNode>* made) {
  const TemplateHeader& header = sealed.header;
  EC_ASSERT(header.parent == state.tip, "a block goes on top of its parent");
  state.tip = block_id(sealed);
  state.tip_header = sealed;
  if (members_after != state.members) {
    state.member_set = member_set_hash(*members_after);
    state.members = std::move(members_after);
  }
  state.history.append(
      history_leaf(state.tip, block_work(header), header.time, sealed.seal.sealed_at), made);
}

Advanced advance(const ChainState& state, const SealedHeader& sealed, LogTree log_after,
                 MembersRef members_after) {
  EC_ASSERT(log_after.size() == sealed.header.log_size, "the log is the one after this block");
  Advanced result{state, {}};
  advance_headers(result.state, sealed, std::move(members_after), &result.history_nodes);
  result.state.log = std::move(log_after);
  return result;
}

}  // namespace eventchain::chain
