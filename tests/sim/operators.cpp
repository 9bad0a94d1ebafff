#include "tests/sim/operators.h"

#include <algorithm>

#include "tests/sim/draws.h"

namespace eventchain::sim {

namespace {

constexpr std::chrono::milliseconds kTimeoutMin{500};
constexpr std::size_t kVotersWanted = 3;
// A template that has an order outlives its leader, but not its height, and a leader does not keep
// an order beyond its deadline. Blocks after which one is certain not to come any more.
constexpr std::uint64_t kBlocksOfDoubt = 4;

}  // namespace

Operators::Operators(Cluster& cluster, const Options& options, chain::Rng rng)
    : cluster_(cluster),
      options_(options),
      rng_(rng),
      voters_min_(std::min(cluster.voters().size(), kVotersWanted)) {}

bool Operators::knows_all() const {
  if (is_open_) return false;
  return !in_doubt_since_ ||
         cluster_.chain().height().value >= in_doubt_since_->value + kBlocksOfDoubt;
}

void Operators::wait() {
  cluster_.scheduler().after(draw_exponential(rng_, options_.pause_between), [this] {
    if (is_stopped_) return;
    if (!is_open_) act();
    wait();
  });
}

bool Operators::may_lose_vote(std::size_t host) const {
  std::vector<std::size_t> voters = cluster_.voters();
  std::erase(voters, host);
  if (voters.size() < voters_min_) return false;
  const auto live = std::ranges::count_if(voters, [this](std::size_t one) {
    return cluster_.host(one).is_alive() && !cluster_.host(one).is_paused();
  });
  return 2 * static_cast<std::size_t>(live) > voters.size();
}

std::vector<Operators::Wish> Operators::wishes() const {
  const chain::MemberSet& now = *cluster_.membership().newest();
  std::vector<Wish> wishes;
  for (std::size_t host = 0; host < cluster_.size(); ++host) {
    const Machine& machine = cluster_.roster()[host];
    const chain::Member* member = chain::find_member(now, machine.member.node);
    if (member == nullptr) {
      if (cluster_.membership().has_belonged(machine.member.node)) continue;
      const bool is_invited = std::ranges::count(now.invitations, chain::token_hash(machine.token),
                                                 &chain::Invitation::token_hash) > 0;
      if (is_invited) {
        wishes.push_back({OrderKind::kAdmit, host});
      } else {
        wishes.push_back({OrderKind::kInviteStandby, host});
        wishes.push_back({OrderKind::kInviteObserver, host});
      }
      continue;
    }
    if (member->role == chain::MemberRole::kVoter) {
      wishes.push_back({OrderKind::kTransfer, host});
      if (!may_lose_vote(host)) continue;
    } else if (chain::count_voters(now) < chain::kVotersMax) {
      wishes.push_back({OrderKind::kPromote, host});
    }
    wishes.push_back({OrderKind::kRemove, host});
    if (member->role != chain::MemberRole::kStandby) wishes.push_back({OrderKind::kDemote, host});
    if (member->role != chain::MemberRole::kObserver) wishes.push_back({OrderKind::kObserve, host});
  }
  return wishes;
}

void Operators::act() {
  std::vector<std::size_t> through;
  for (const std::size_t host : cluster_.members())
    if (cluster_.host(host).is_alive()) through.push_back(host);
  std::vector<Wish> open = wishes();
  if (through.empty() || open.empty()) return;
  // Any kind of order is as likely as any other, however many hosts it could be about.
  std::vector<OrderKind> kinds;
  for (const Wish& one : open)
    if (std::ranges::count(kinds, one.kind) == 0) kinds.push_back(one.kind);
  const OrderKind kind = kinds[rng_.below(kinds.size())];
  std::erase_if(open, [kind](const Wish& one) { return one.kind != kind; });
  const Wish wish = open[rng_.below(open.size())];
  const std::size_t at = through[rng_.below(through.size())];
  ++orders_;
  is_open_ = true;
  cluster_.trace().print("operators at n{}: {} n{}", at, to_string(kind), wish.host);
  cluster_.order(at,
                 make_order(kind, cluster_.roster()[wish.host], *cluster_.membership().newest()),
                 draw_span(rng_, kTimeoutMin, options_.timeout_max),
                 [this](const std::optional<node::OrderAnswer>& answer) { heard(answer); });
}

void Operators::heard(const std::optional<node::OrderAnswer>& answer) {
  is_open_ = false;
  const bool is_clear = answer && answer->outcome != net::OrderOutcome::kNotNow;
  if (!is_clear) in_doubt_since_ = cluster_.chain().height();
}

}  // namespace eventchain::sim
