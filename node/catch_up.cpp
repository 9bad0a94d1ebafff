#include "node/catch_up.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "net/limits.h"

namespace eventchain::node {

namespace {

// Between two questions to a peer that could not prove what it claims; doubles up to the last.
constexpr std::chrono::milliseconds kNothingFirst{500};
constexpr std::chrono::milliseconds kNothingLast{8000};

bool is_one_chain(const net::BlocksReply& reply) {
  chain::Height height = reply.from;
  std::optional<chain::BlockId> parent;
  for (const auto& block : reply.blocks) {
    const chain::TemplateHeader& header = block.sealed.header;
    if (header.height != height || (parent && header.parent != *parent)) return false;
    height = height.next();
    parent = chain::block_id(block.sealed);
  }
  return true;
}

}  // namespace

void CatchUp::heard(const chain::NodeId& peer, chain::Height height, Claimed claimed,
                    const chain::Now& now) {
  if (height <= ledger_.state().height() || !certifier_.can_verify()) return;
  const bool is_first = std::none_of(claims_.begin(), claims_.end(),
                                     [this](const auto& one) { return is_ahead(one.second); });
  if (is_first) patient_until_ = now.steady + kGrace;
  Claim& claim = claims_[peer];
  if (claimed == Claimed::kCertified && height > claim.certified) {
    // It was asked too early, when it had nothing to show yet.
    if (claim.asked_at <= ledger_.state().height()) claim.again = {};
    claim.certified = height;
  }
  if (height <= claim.height) return;
  claim.height = height;
  claim.wait = {};  // it may prove this one
}

void CatchUp::tip_moved(bool by_certificate, const chain::Now& now) {
  for (auto it = claims_.begin(); it != claims_.end();)
    it = is_ahead(it->second) ? std::next(it) : claims_.erase(it);
  patient_until_ = by_certificate ? now.steady : now.steady + kGrace;
  was_told_of_fork_ = false;
}

std::optional<chain::Instant> CatchUp::due(Standing standing) const {
  std::optional<chain::Instant> first;
  for (const auto& [peer, claim] : claims_) {
    if (!is_ahead(claim)) continue;
    const bool is_urgent = standing == Standing::kOutside && has_shown(claim);
    const chain::Instant at = is_urgent ? claim.again : std::max(claim.again, patient_until_);
    if (!first || at < *first) first = at;
  }
  return first;
}

bool CatchUp::may_ask(Standing standing) const {
  return standing != Standing::kLeads && !fetcher_.wants_blocks() && !decider_.is_following();
}

std::optional<chain::Instant> CatchUp::next_deadline(Standing standing) const {
  if (decider_.is_following()) return decider_.followed_at() + kStalled;
  return may_ask(standing) ? due(standing) : std::nullopt;
}

void CatchUp::follow_up(Standing standing, const chain::Now& now) {
  if (decider_.is_following() && decider_.followed_at() + kStalled <= now.steady)
    decider_.give_up();
  if (const auto peer = decider_.take_given_up()) found_nothing(*peer, now);
  const auto at = due(standing);
  // What Raft brought meanwhile, or a leader has, need not be asked for again and again.
  if ((standing == Standing::kLeads || !at) && !decider_.awaits_snapshot())
    fetcher_.forget_blocks();
  if (at && *at <= now.steady && may_ask(standing)) ask(standing, now);
}

std::optional<chain::NodeId> CatchUp::pick_highest(const chain::Now& now) const {
  std::optional<chain::NodeId> best;
  chain::Height highest;
  for (const auto& [peer, claim] : claims_) {
    if (!is_ahead(claim) || claim.again > now.steady || (best && claim.height <= highest)) continue;
    best = peer;
    highest = claim.height;
  }
  return best;
}

std::optional<chain::NodeId> CatchUp::pick_in_turn(const chain::Now& now) const {
  // Who has shown certificates before who has not, and nobody who has little of what is lacking.
  const auto of = [this](const Claim& claim) {
    const chain::Height height = has_shown(claim) ? claim.certified : claim.height;
    const std::uint64_t gain = std::min<std::uint64_t>(
        height.value - ledger_.state().height().value, net::limits::kBlocksPerReplyMax);
    return std::pair{has_shown(claim), gain};
  };
  std::pair<bool, std::uint64_t> best{};
  std::vector<chain::NodeId> peers;
  for (const auto& [peer, claim] : claims_) {
    if (!is_ahead(claim) || claim.again > now.steady || of(claim) < best) continue;
    if (of(claim) > best) peers.clear();
    best = of(claim);
    peers.push_back(peer);
  }
  if (peers.empty()) return std::nullopt;
  const auto next = asked_last_ ? std::ranges::upper_bound(peers, *asked_last_) : peers.begin();
  return next == peers.end() ? peers.front() : *next;
}

void CatchUp::ask(Standing standing, const chain::Now& now) {
  const auto peer = standing == Standing::kOutside ? pick_in_turn(now) : pick_highest(now);
  EC_ASSERT(peer.has_value(), "what is due is due at somebody");
  Claim& claim = claims_.at(*peer);
  claim.asked_at = claim.certified;
  asked_last_ = peer;
  const chain::Height tip = ledger_.state().height();
  const std::uint64_t count =
      std::min<std::uint64_t>(claim.height.value - tip.value, net::limits::kBlocksPerReplyMax);
  fetcher_.want_blocks(tip.next(), static_cast<std::uint32_t>(count), peer, now);
}

void CatchUp::found_nothing(const chain::NodeId& peer, const chain::Now& now) {
  const auto found = claims_.find(peer);
  if (found == claims_.end()) return;
  Claim& claim = found->second;
  claim.wait = claim.wait.count() == 0 ? kNothingFirst : std::min(claim.wait * 2, kNothingLast);
  claim.again = now.steady + claim.wait;
}

// Pre: it is proven, and begins at the next height at the latest.
void CatchUp::tell_of_fork(const net::BlocksReply& reply) {
  const chain::HeaderState& state = ledger_.state();
  outbox_.notice(Notice::Level::kError,
                 fmt::format("a majority of voters certified another history than this node's "
                             "height={}: one of the two is wrong",
                             state.height().value));
  Evidence evidence;
  evidence.own = state.tip_header;
  evidence.own_signatures = certifier_.signatures_on_tip();
  const auto first = static_cast<std::ptrdiff_t>(state.height().next().value - reply.from.value);
  for (auto block = reply.blocks.begin() + first; block != reply.blocks.end(); ++block)
    evidence.others.push_back(block->sealed);
  evidence.others_signatures = reply.certificate;
  evidence.members = state.members;
  outbox_.add(std::move(evidence));
}

std::string CatchUp::said(const chain::NodeId& peer, const net::BlocksReply& reply,
                          const chain::Now& now) {
  if (!fetcher_.got_blocks(reply.from, peer, !reply.blocks.empty())) return {};
  const chain::Height tip = ledger_.state().height();
  if (reply.certificate.empty() || !certifier_.can_verify() || reply.blocks.empty()) {
    found_nothing(peer, now);
    decider_.arrived(peer, reply);  // a snapshot of Raft may vouch for them
    return {};
  }
  if (!is_one_chain(reply)) return "blocks that do not follow one another";
  const chain::SealedHeader& last = reply.blocks.back().sealed;
  if (last.header.height <= tip) return {};  // Raft was faster
  const chain::BlockId id = chain::block_id(last);
  // Who signs may change with a block, and the next set is believed only when that block is proven.
  // An answer does not reach beyond one that does; this one was asked for in front of it.
  if (last.header.member_set != ledger_.state().member_set) {
    found_nothing(peer, now);
    return {};
  }
  const chain::MembersRef& before = ledger_.state().members;
  const auto after = chain::members_after(before, last.header, reply.blocks.back().content.annex);
  if (!certifier_.is_proof(*before, *after, last, id, reply.certificate))
    return "a certificate without sound signatures of a majority";
  // The request began behind the tip of its time.
  if (reply.from > tip.next()) return {};
  const auto& next = reply.blocks[tip.next().value - reply.from.value].sealed.header;
  if (next.parent != ledger_.state().tip) {
    found_nothing(peer, now);
    if (!std::exchange(was_told_of_fork_, true)) tell_of_fork(reply);
    return {};
  }
  decider_.follow(reply, {{last.header.height, id}, reply.certificate, peer});
  return {};
}

}  // namespace eventchain::node
