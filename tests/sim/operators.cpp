#include "tests/sim/operators.h"

#include <algorithm>

#include "node/orders.h"
#include "tests/sim/draws.h"

namespace eventchain::sim {

namespace {

constexpr std::chrono::milliseconds kTimeoutMin{500};
constexpr std::size_t kVotersWanted = 3;
constexpr std::int64_t kGraceMsMin = 300;
constexpr std::int64_t kGraceMsMax = 5000;
// A leader keeps an order that the cluster is not ready for, whatever becomes of who asked; and a
// template that has it outlives that leader, but not its height.
constexpr Span kDoubtMax = node::Orders::kTakenFor + std::chrono::seconds(10);
constexpr std::uint64_t kBlocksOfDoubt = 4;

}  // namespace

Operators::Operators(Cluster& cluster, const Options& options, chain::Rng rng)
    : cluster_(cluster),
      options_(options),
      rng_(rng),
      voters_min_(std::min(cluster.voters().size(), kVotersWanted)) {}

bool Operators::is_open(const Doubt& doubt) const {
  Time since = doubt.since;
  for (const std::size_t host : cluster_.everybody())
    since = std::max(since, cluster_.host(host).slow_until());
  return cluster_.scheduler().now() < since + doubt.lasts ||
         cluster_.chain().height() < doubt.below;
}

bool Operators::knows_all() const {
  return !is_open_ && cluster_.membership().newest()->policy.wanted == 0 &&
         std::ranges::none_of(doubts_, [this](const Doubt& one) { return is_open(one); });
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
  const auto lost = std::ranges::count_if(
      doubts_, [this](const Doubt& one) { return one.costs_a_vote && is_open(one); });
  // The leader's own order may be on its way, too.
  const bool is_seen_to = cluster_.membership().newest()->policy.wanted != 0;
  if (voters.size() < voters_min_ + static_cast<std::size_t>(lost) + (is_seen_to ? 1 : 0))
    return false;
  const auto live = std::ranges::count_if(voters, [this](std::size_t one) {
    return cluster_.host(one).is_alive() && !cluster_.host(one).is_paused();
  });
  return 2 * static_cast<std::size_t>(live) > voters.size();
}

std::vector<Operators::Wish> Operators::wishes() const {
  const chain::MemberSet& now = *cluster_.membership().newest();
  std::vector<Wish> wishes;
  if (options_.sets_policy) wishes.push_back({OrderKind::kPolicy, 0});
  for (std::size_t host = 0; host < cluster_.honest(); ++host) {
    const Machine& machine = cluster_.roster()[host];
    const chain::Member* member = chain::find_member(now, machine.member.node);
    if (member == nullptr) {
      if (cluster_.membership().has_belonged(machine.member.node)) continue;
      const bool is_invited = std::ranges::count(now.invitations, chain::token_hash(machine.token),
                                                 &chain::Invitation::token_hash) > 0;
      if (is_invited) {
        wishes.push_back({OrderKind::kAdmit, host});
      } else if (is_light(host)) {
        wishes.push_back({OrderKind::kInviteLight, host});
      } else {
        wishes.push_back({OrderKind::kInviteStandby, host});
        wishes.push_back({OrderKind::kInviteObserver, host});
      }
      continue;
    }
    if (is_light(host)) {
      wishes.push_back({OrderKind::kRemove, host});
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

net::Order Operators::write(const Wish& wish) {
  if (wish.kind != OrderKind::kPolicy)
    return make_order(wish.kind, cluster_.roster()[wish.host], *cluster_.membership().newest());
  const auto wanted = static_cast<std::uint8_t>(rng_.chance(1, 4) ? 0 : rng_.chance(1, 2) ? 3 : 5);
  const auto grace_ms = static_cast<std::uint32_t>(rng_.between(kGraceMsMin, kGraceMsMax));
  cluster_.trace().print("the policy is to be {} voters, after {} ms", wanted, grace_ms);
  return make_policy(wanted, grace_ms);
}

void Operators::act() {
  std::vector<std::size_t> through;
  for (const std::size_t host : cluster_.honest_members())
    if (cluster_.host(host).is_alive()) through.push_back(host);
  std::vector<Wish> open = wishes();
  if (through.empty() || open.empty()) return;
  // Any kind of order is as likely as any other, however many hosts it could be about.
  std::vector<OrderKind> kinds;
  for (const Wish& one : open)
    if (std::ranges::count(kinds, one.kind) == 0) kinds.push_back(one.kind);
  OrderKind kind = kinds[rng_.below(kinds.size())];
  // Light members come early, so that they are there to see what follows.
  const auto lets_in = std::ranges::find_if(open, [this](const Wish& one) {
    return is_light(one.host) && one.kind != OrderKind::kRemove;
  });
  if (lets_in != open.end() && rng_.chance(1, 2)) kind = lets_in->kind;
  std::erase_if(open, [kind](const Wish& one) { return one.kind != kind; });
  const Wish wish = open[rng_.below(open.size())];
  const std::size_t at = through[rng_.below(through.size())];
  ++orders_;
  is_open_ = true;
  cluster_.trace().print("operators at n{}: {} n{}", at, to_string(wish.kind), wish.host);
  const Span timeout = draw_span(rng_, kTimeoutMin, options_.timeout_max);
  // What a node without a vote hands over may go to the leader by way of two voters; only at a
  // voter is an answer before the deadline the leader's last word.
  const bool is_relayed = !cluster_.is_voter(at);
  const Time deadline =
      is_relayed ? Time{} : cluster_.scheduler().now() + (timeout - kTimeoutMin / 2);
  relayed_ += is_relayed ? 1 : 0;
  cluster_.order(at, write(wish), timeout,
                 [this, wish, deadline](const std::optional<node::OrderAnswer>& answer) {
                   heard(wish, deadline, answer);
                 });
}

void Operators::heard(const Wish& wish, Time deadline,
                      const std::optional<node::OrderAnswer>& answer) {
  is_open_ = false;
  if (answer && answer->outcome != net::OrderOutcome::kNotNow) return;
  const Time now = cluster_.scheduler().now();
  Doubt doubt;
  // Before the deadline it is the leader who does not take it on.
  doubt.since = now;
  doubt.lasts = answer && now < deadline ? Span(0) : kDoubtMax;
  doubt.below = chain::Height{cluster_.chain().height().value + kBlocksOfDoubt};
  doubt.costs_a_vote = wish.kind == OrderKind::kDemote || wish.kind == OrderKind::kObserve ||
                       wish.kind == OrderKind::kRemove || wish.kind == OrderKind::kPolicy;
  doubts_.push_back(doubt);
}

}  // namespace eventchain::sim
