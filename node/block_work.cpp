#include "node/block_work.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "chain/difficulty.h"
#include "chain/planted.h"
#include "chain/stamp.h"

namespace eventchain::node {

namespace {

// Events whose expectation lies ahead are the only ones that cannot be placed; asking more often
// than this would find the same.
constexpr std::chrono::milliseconds kLookAgain{100};
// A share is late by a few network delays, in which few templates come and go.
constexpr std::size_t kPastMax = 16;

// A leader that lied may have left the block clock at the last stamp there is: there it stands
// still, and what honest leaders make goes on to be valid.
chain::UnixMillis as_stamp(chain::UnixMillis time) {
  return std::clamp(time, chain::kStampMin, chain::kStampMax);
}

// Pre: `at` is a stamp.
chain::UnixMillis plus(chain::UnixMillis at, std::chrono::nanoseconds by) {
  return as_stamp({at.value + std::chrono::duration_cast<std::chrono::milliseconds>(by).count()});
}

}  // namespace

// The leader's block clock for the template in hand: its own stamp plus monotonic time since, so
// that a jump of the wall clock never shows in a solve time.
chain::UnixMillis BlockWork::clock(const chain::Now& now) const {
  return plus(work_->checked->made.header.time, now.steady - work_->since);
}

bool BlockWork::wants_template(const chain::Now& now, bool has_orders) const {
  if (work_) return false;
  if (has_orders) return true;
  const auto heartbeat = std::chrono::milliseconds(ledger_.state().genesis.heartbeat_ms);
  if (heartbeat.count() > 0 && now.steady >= tip_since_ + heartbeat) return true;
  if (ledger_.pool().size() == 0) return false;
  return now.steady >= nothing_until_ || ledger_.pool().size() != nothing_in_pool_;
}

bool BlockWork::wants_easing(const chain::Now& now) const {
  if (!work_ || sealed_) return false;
  const auto& header = work_->checked->made.header;
  const auto& genesis = ledger_.state().genesis;
  if (header.share_target == genesis.easiest_target) return false;
  return chain::easing_steps(genesis, header.started, clock(now)) >
         chain::easing_steps(genesis, header.started, header.time);
}

bool BlockWork::lead(const chain::Now& now, const std::vector<chain::MemberOrder>& orders) {
  const auto before = templates_made_;
  if (wants_easing(now)) {
    // Shares belong to one template, so those found so far are lost; the easier target is worth
    // far more than they are.
    const chain::UnixMillis started = work_->checked->made.header.started;
    const chain::UnixMillis time = clock(now);
    ++easings_;
    outbox_.notice(Notice::Level::kWarning, "target eased: the block found too few shares");
    put_away();
    make(started, {now.steady, time}, orders);
  } else if (wants_template(now, !orders.empty())) {
    const chain::UnixMillis parent = ledger_.state().tip_header.seal.sealed_at;
    const chain::UnixMillis time = std::max(as_stamp(now.wall), parent);
    make(time, {now.steady, time}, orders);
  }
  return templates_made_ != before;
}

void BlockWork::make(chain::UnixMillis started, const chain::Now& now,
                     const std::vector<chain::MemberOrder>& orders) {
  chain::Assembly assembly = ledger_.assemble(started, now.wall, now, options_.assembler, orders);
  order_results_ = std::move(assembly.orders);
  for (const auto& commitment : assembly.redundant) {
    // A twin of an event in this very template goes when that is committed: until then clients wait
    // for it.
    const auto* pending = ledger_.pool().find(commitment);
    if (pending != nullptr && ledger_.is_placed(pending->facts.key))
      ledger_.forget(pending->facts.key, commitment);
  }
  const auto& genesis = ledger_.state().genesis;
  const bool heartbeat_due =
      genesis.heartbeat_ms > 0 &&
      now.steady >= tip_since_ + std::chrono::milliseconds(genesis.heartbeat_ms);
  if (assembly.made.content.entries.empty() && assembly.made.content.annex.empty() &&
      !heartbeat_due) {
    nothing_until_ = now.steady + kLookAgain;
    nothing_in_pool_ = ledger_.pool().size();
    return;
  }
  Checked checked = ledger_.check(assembly.made);
  EC_ASSERT(checked.verdict.ok(), "the assembler's templates obey every rule");
  ++templates_made_;
  take_up(std::move(checked.made), now.steady);
  push(members_.linked_all());
}

void BlockWork::take_up(CheckedRef checked, chain::Instant since) {
  Work work;
  const auto target = chain::expand(checked->made.header.share_target);
  EC_ASSERT(target.has_value(), "a checked header has a canonical target");
  work.target = *target;
  work.checked = std::move(checked);
  work.since = since;
  // On disk before the first share can complete it: a decision on it must find its content here.
  ledger_.keep_template(work.checked->made);
  put_away();
  std::erase(past_, work.checked->hash);
  work_ = std::move(work);
  sealed_ = false;
  tell_in_hand();
  // Not a member yet, or not any more: nobody would take its shares.
  const chain::Member* self = members_.self();
  if (options_.mines && self != nullptr) {
    const bool reuses = chain::is_planted(chain::Mistake::kSlotReused);
    const chain::Slot slot = reuses ? members_.all().front().slot : self->slot;
    outbox_.add(Mine{
        mining::WorkOrder{work_->checked->made.header, work_->checked->hash, slot, work_->target}});
  }
}

void BlockWork::put_away() {
  if (!work_) return;
  if (work_->checked->made.header != ledger_.state().tip_header.header)
    shares_lost_ += work_->shares.size();
  past_.push_back(work_->checked->hash);
  if (past_.size() > kPastMax) past_.pop_front();
  work_.reset();
}

void BlockWork::tell_in_hand() {
  if (chain::plain_digest(options_.digest->function()) != nullptr) return;
  if (!work_) return outbox_.add(InHand{});
  const chain::TemplateHeader& header = work_->checked->made.header;
  outbox_.add(InHand{header, work_->shares.size() == header.share_count});
}

bool BlockWork::adopt(CheckedRef checked, const chain::Now& now) {
  if (work_ && work_->checked->hash == checked->hash) return false;
  take_up(std::move(checked), now.steady);
  return true;
}

BlockWork::ShareResult BlockWork::share(const mining::ShareFound& share) {
  if (!work_ || share.template_hash != work_->checked->hash) {
    const bool was_in_hand =
        std::find(past_.begin(), past_.end(), share.template_hash) != past_.end();
    return was_in_hand ? ShareResult::kStale : ShareResult::kOtherTemplate;
  }
  auto& shares = work_->shares;
  if (std::find(shares.begin(), shares.end(), share.nonce) != shares.end())
    return ShareResult::kKnown;
  if (shares.size() >= work_->checked->made.header.share_count) return ShareResult::kSurplus;
  const chain::Verdict verdict = chain::check_share(ledger_.state(), *options_.digest,
                                                    work_->checked->made.header, share.nonce);
  if (!verdict.ok()) return ShareResult::kRefused;
  shares.push_back(share.nonce);
  if (shares.size() == work_->checked->made.header.share_count) {
    tell_in_hand();
    if (options_.mines) outbox_.add(StopMining{});
  }
  return ShareResult::kAccepted;
}

std::optional<chain::SealedHeader> BlockWork::take_seal(const chain::Now& now) {
  if (!work_ || sealed_) return std::nullopt;
  const auto& header = work_->checked->made.header;
  if (work_->shares.size() < header.share_count) return std::nullopt;
  chain::SealedHeader sealed{header, {std::max(clock(now), header.time), work_->shares}};
  std::sort(sealed.seal.shares.begin(), sealed.seal.shares.end());
  EC_ASSERT(chain::check_seal(ledger_.state(), *options_.digest, sealed).ok(),
            "every share was checked on arrival");
  sealed_ = true;
  return sealed;
}

void BlockWork::tip_moved(const chain::Now& now) {
  if (work_ && options_.mines) outbox_.add(StopMining{});
  put_away();
  sealed_ = false;
  tell_in_hand();
  tip_since_ = now.steady;
  nothing_until_ = {};
}

std::vector<mining::ShareFound> BlockWork::shares_in_hand() const {
  std::vector<mining::ShareFound> shares;
  if (!work_) return shares;
  for (const auto& nonce : work_->shares) shares.push_back({work_->checked->hash, nonce});
  return shares;
}

std::uint32_t BlockWork::share_count() const {
  return work_ ? static_cast<std::uint32_t>(work_->shares.size()) : 0;
}

void BlockWork::push(std::vector<chain::NodeId> to) {
  const chain::Template& made = work_->checked->made;
  const auto light = std::stable_partition(
      to.begin(), to.end(), [this](const chain::NodeId& peer) { return !members_.is_light(peer); });
  outbox_.send(std::vector(light, to.end()), net::TemplateHeaderPush{made.header});
  to.erase(light, to.end());
  outbox_.send(std::move(to), net::TemplatePush{made});
}

void BlockWork::show(const chain::NodeId& peer) {
  if (!work_) return;
  push({peer});
  if (members_.is_light(peer)) return;  // it collects no shares of others
  for (const auto& share : shares_in_hand())
    outbox_.send(peer, net::SharePush{share.template_hash, share.nonce});
}

std::optional<chain::Instant> BlockWork::next_deadline(bool leading) const {
  if (!leading) return std::nullopt;
  const auto& genesis = ledger_.state().genesis;
  if (work_) {
    const auto& header = work_->checked->made.header;
    if (sealed_ || header.share_target == genesis.easiest_target) return std::nullopt;
    const auto steps = chain::easing_steps(genesis, header.started, header.time);
    const std::int64_t eased_after =
        genesis.interval_ms * (chain::kEasingAfterIntervals + steps * chain::kEasingEveryIntervals);
    const std::int64_t worked_before = header.time.value - header.started.value;
    return work_->since + std::chrono::milliseconds(eased_after - worked_before);
  }
  std::optional<chain::Instant> next;
  if (genesis.heartbeat_ms > 0) next = tip_since_ + std::chrono::milliseconds(genesis.heartbeat_ms);
  if (ledger_.pool().size() > 0 && (!next || nothing_until_ < *next)) next = nothing_until_;
  return next;
}

}  // namespace eventchain::node
