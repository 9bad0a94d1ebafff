#include "node/steward.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "chain/features.h"
#include "chain/keys.h"
#include "consensus/configuration.h"
#include "consensus/voter_policy.h"

namespace eventchain::node {

namespace {

using chain::ErrorCode;
using chain::fail;
using chain::MemberRole;
using chain::Result;
using consensus::Suffrage;

bool votes(const consensus::Configuration& configuration, const chain::NodeId& node) {
  const consensus::Server* server = consensus::find_server(configuration, server_of(node));
  return server != nullptr && server->suffrage == Suffrage::kVoter;
}

consensus::Configuration without(consensus::Configuration configuration,
                                 consensus::ServerId server) {
  std::erase_if(configuration, [server](const auto& one) { return one.id == server; });
  return configuration;
}

}  // namespace

// --- as the leader ------------------------------------------------------------------------------

consensus::Configuration Steward::wanted() const {
  consensus::Configuration configuration;
  for (const auto& member : members_.all()) {
    if (member.role == MemberRole::kVoter)
      configuration.push_back({server_of(member.node), Suffrage::kVoter});
    if (member.role == MemberRole::kStandby)
      configuration.push_back({server_of(member.node), Suffrage::kStandby});
  }
  std::ranges::sort(configuration, {}, &consensus::Server::id);
  return configuration;
}

bool Steward::is_caught_up(const chain::Member& member) const {
  if (member.node == members_.self_id()) return true;
  if (!members_.is_linked(member.node)) return false;
  if (const auto match = replica_.match_index(server_of(member.node)))
    return match->value + kLagMax >= replica_.last_index().value;
  // Not in Raft's configuration yet: its chain is what can be known of it.
  const auto tip = tips_.find(member.node);
  return tip != tips_.end() &&
         tip->second.value + kBlocksBehindMax >= ledger_.state().height().value;
}

// After a voter went there must be a majority of linked ones, or the cluster would stand still.
Result<void> Steward::keeps_quorum(const chain::NodeId& without, std::size_t voters_after) const {
  std::size_t linked = 0;
  for (const auto& voter : members_.voters())
    if (voter != without && (voter == members_.self_id() || members_.is_linked(voter))) ++linked;
  if (linked > voters_after / 2) return {};
  return fail(ErrorCode::kInvalid,
              fmt::format("{} of {} voters would be reachable, which is no majority; promote "
                          "another member first",
                          linked, voters_after));
}

bool Steward::changes_voters(const chain::MemberOrder& order) const {
  const auto* role = std::get_if<chain::SetRole>(&order.what);
  return role != nullptr && (role->role == MemberRole::kVoter) != members_.is_voter(role->node);
}

// By what each voter says on the link that it has now, and nobody else says of it: a voter that is
// away may come back with an older program. No voter comes or goes before the level has risen,
// because the block that raises it changes no voters (NodeCore::State::orders_for_block).
Result<void> Steward::may_rise(std::uint16_t level) const {
  if (!is_in_step())
    return fail(ErrorCode::kUnavailable,
                "the last change of voters is not through yet; try again shortly");
  for (const auto& voter : members_.voters()) {
    const std::string& name = members_.find(voter)->name;
    const auto can = members_.level_of(voter);
    if (!can)
      return fail(ErrorCode::kUnavailable,
                  fmt::format("{} is not linked to the leader, so nobody knows what its program "
                              "can do; start it",
                              name));
    if (*can < level)
      return fail(ErrorCode::kUnavailable,
                  fmt::format("{}'s program can do feature level {} only; install the newer "
                              "version there first",
                              name, *can));
  }
  return {};
}

Result<void> Steward::is_new_enough(const chain::Member& member) const {
  const auto can = members_.level_of(member.node);
  if (!can || chain::can_follow(members_.set(), *can)) return {};
  return fail(ErrorCode::kUnavailable,
              fmt::format("{}'s program can do feature level {} only, and the cluster is at {}; "
                          "install the newer version there first",
                          member.name, *can, members_.set().feature_level));
}

Result<void> Steward::is_fit(const chain::MemberOrder& order) const {
  if (const auto* rise = std::get_if<chain::RaiseFeatureLevel>(&order.what))
    return may_rise(rise->level);
  // Whoever passed the order on may not have asked.
  if (const auto* admission = std::get_if<chain::Admit>(&order.what))
    return chain::check_public_key(admission->member.signing_key);
  if (const auto* update = std::get_if<chain::UpdateMember>(&order.what))
    return chain::check_public_key(update->member.signing_key);
  if (!changes_voters(order)) return {};
  const auto& role = std::get<chain::SetRole>(order.what);
  const chain::Member* member = members_.find(role.node);
  // The rules will say so. Of a light member they say it for good: it never holds everything, and
  // an operator who was told that it lags would ask again for ever.
  if (member == nullptr || member->role == MemberRole::kLight) return {};
  const bool becomes = role.role == MemberRole::kVoter;
  const bool has_vote = votes(replica_.configuration(), member->node);
  // Back to what Raft has already is always a way out: the change that is under way may be the very
  // reason why it does not come through.
  if (!is_in_step() && becomes != has_vote)
    return fail(ErrorCode::kUnavailable,
                "the last change of voters is not through yet; try again shortly");
  if (becomes) {
    if (has_vote) return {};
    if (is_caught_up(*member)) return is_new_enough(*member);
    return fail(ErrorCode::kUnavailable,
                fmt::format("{} is not linked to the leader or lags behind; a voter must hold "
                            "everything",
                            member->name));
  }
  return keeps_quorum(member->node, members_.voters().size() - 1);
}

bool Steward::is_ripe(const chain::MemberOrder& order) const {
  if (const auto* removal = std::get_if<chain::RemoveMember>(&order.what)) {
    return !replica_.is_changing() && !members_.is_voter(removal->node) &&
           !votes(replica_.configuration(), removal->node);
  }
  if (!is_fit(order)) return false;
  // Out of step it can only be the way back, which settled voters stand behind already.
  return !changes_voters(order) || !is_in_step() || is_settled();
}

Result<void> Steward::transfer(const chain::NodeId& to, const chain::Now& now) {
  const chain::Member* member = members_.find(to);
  if (to == members_.self_id()) return {};
  if (member == nullptr || member->role != MemberRole::kVoter)
    return fail(ErrorCode::kInvalid, "only a voter can lead; promote it first");
  if (!is_caught_up(*member))
    return fail(ErrorCode::kUnavailable,
                fmt::format("{} is not linked to the leader or lags behind", member->name));
  return replica_.transfer(server_of(to), now);
}

std::optional<chain::MemberOrder> Steward::wish(const chain::Now& now) const {
  if (auto order = voters_wish(now)) return order;
  const std::uint16_t level = members_.set().feature_level;
  if (members_.level_of(members_.self_id()) <= level) return std::nullopt;
  const auto next = static_cast<std::uint16_t>(level + 1);
  if (!may_rise(next)) return std::nullopt;
  return chain::MemberOrder{std::string(kPolicyName), chain::RaiseFeatureLevel{next}};
}

std::optional<chain::MemberOrder> Steward::voters_wish(const chain::Now& now) const {
  if (members_.set().policy.wanted == 0) return std::nullopt;
  if (!is_in_step()) return way_back(now);
  std::map<chain::NodeId, consensus::MemberHealth> health;
  for (const auto& member : members_.all()) {
    consensus::MemberHealth& one = health[member.node];
    one.is_linked = members_.is_linked(member.node);
    one.is_caught_up = is_caught_up(member);
    one.is_too_old = !is_new_enough(member);
    if (const auto away = away_since_.find(member.node); away != away_since_.end())
      one.away_for =
          std::chrono::duration_cast<std::chrono::milliseconds>(now.steady - away->second);
  }
  const auto step = consensus::next_voter_step(members_.set(), health, members_.self_id());
  if (!step) return std::nullopt;
  return chain::MemberOrder{std::string(kPolicyName), *step};
}

// A voter to be that went away before Raft had its vote must not hold up everything else.
std::optional<chain::MemberOrder> Steward::way_back(const chain::Now& now) const {
  const auto grace = std::chrono::milliseconds(members_.set().policy.grace_ms);
  for (const auto& voter : members_.voters()) {
    const auto away = away_since_.find(voter);
    if (votes(replica_.configuration(), voter) || members_.is_linked(voter) ||
        away == away_since_.end())
      continue;
    if (now.steady - away->second >= grace)
      return chain::MemberOrder{std::string(kPolicyName),
                                chain::SetRole{voter, MemberRole::kStandby}};
  }
  return std::nullopt;
}

void Steward::follow_up(bool leads, const chain::Now& now) {
  if (asked_ && is_done(*asked_)) {
    outbox_.send(asked_->leader, net::SettleHeld{asked_->term, asked_->voters_since});
    asked_.reset();
  }
  if (!leads) {
    look_at_ = {};
    round_.reset();
    return;
  }
  if (look_at_ > now.steady) return;
  look_at_ = now.steady + kLookEvery;
  // Who was never linked since this node leads is away from now on.
  for (const auto& member : members_.all())
    if (member.node != members_.self_id() && !members_.is_linked(member.node))
      away_since_.emplace(member.node, now.steady);
  const bool is_wanted = std::exchange(is_wanted_, false);
  if (!is_in_step()) {
    step(now);
  } else if (is_wanted) {
    ask_to_settle(now);
  }
}

std::optional<chain::Instant> Steward::next_deadline(bool leads) const {
  if (!leads || (is_in_step() && !is_wanted_ && members_.set().policy.wanted == 0))
    return std::nullopt;
  return look_at_;
}

void Steward::change(const consensus::Configuration& to, const chain::Now& now) {
  const auto changed = replica_.change(to, now);
  // Otherwise another change is under way, or leadership is: the next look will tell.
  if (changed)
    outbox_.notice(Notice::Level::kInfo,
                   fmt::format("raft configuration changes voters={} servers={}",
                               consensus::voter_count(to), to.size()));
}

// The next difference between Raft's configuration and the roles, the harmless ones first.
void Steward::step(const chain::Now& now) {
  const consensus::Configuration goal = wanted();
  consensus::Configuration next = replica_.configuration();
  for (const auto& server : goal) {
    if (consensus::find_server(next, server.id) != nullptr) continue;
    next.push_back({server.id, Suffrage::kStandby});
    std::ranges::sort(next, {}, &consensus::Server::id);
    return change(next, now);
  }
  for (auto& server : next) {
    const consensus::Server* aim = consensus::find_server(goal, server.id);
    if (aim == nullptr && server.suffrage != Suffrage::kVoter)
      return change(without(next, server.id), now);
    if (aim != nullptr && aim->suffrage == Suffrage::kVoter &&
        server.suffrage != Suffrage::kVoter) {
      const auto node = members_.node_of(server.id);
      const chain::Member* member = node ? members_.find(*node) : nullptr;
      if (member == nullptr || !is_caught_up(*member)) continue;
      server.suffrage = Suffrage::kVoter;
      return change(next, now);
    }
  }
  for (auto& server : next) {
    const consensus::Server* aim = consensus::find_server(goal, server.id);
    if (server.suffrage != Suffrage::kVoter ||
        (aim != nullptr && aim->suffrage == Suffrage::kVoter))
      continue;
    // A leader does not take its own vote: another one leads, and does it.
    if (server.id == server_of(members_.self_id()))
      return hand_over(now, "this node leaves the voters");
    ask_to_settle(now);
    if (!is_settled() || !keeps_raft_quorum(server.id)) return;
    if (aim == nullptr) return change(without(next, server.id), now);
    server.suffrage = Suffrage::kStandby;
    return change(next, now);
  }
}

void Steward::hand_over(const chain::Now& now, const char* why) {
  const chain::Member* best = nullptr;
  consensus::LogIndex farthest;
  for (const auto& voter : members_.voters()) {
    const chain::Member* member = members_.find(voter);
    const auto match = replica_.match_index(server_of(voter));
    if (voter == members_.self_id() || !match || !members_.is_linked(voter)) continue;
    if (best != nullptr && *match <= farthest) continue;
    best = member;
    farthest = *match;
  }
  if (best == nullptr) return;
  if (replica_.transfer(server_of(best->node), now))
    outbox_.notice(Notice::Level::kInfo, fmt::format("{} and hands over to={}", why, best->name));
}

// Since the order for it was given voters may have been lost: dropping another vote must leave a
// linked majority, or the very entry that drops it would not be committed.
bool Steward::keeps_raft_quorum(consensus::ServerId without) const {
  std::size_t voters = 0;
  std::size_t linked = 0;
  for (const auto& server : replica_.configuration()) {
    if (server.suffrage != Suffrage::kVoter || server.id == without) continue;
    ++voters;
    const auto node = members_.node_of(server.id);
    if (node && (*node == members_.self_id() || members_.is_linked(*node))) ++linked;
  }
  return linked > voters / 2;
}

void Steward::ask_to_settle(const chain::Now& now) {
  const Settling round{replica_.term(), members_.set().voters_since, newest_pending(),
                       members_.self_id()};
  if (!round_ || round_->term != round.term || round_->voters_since != round.voters_since) {
    round_ = round;
    settled_.clear();
    round_repeat_at_ = now.steady;
  }
  if (is_done(*round_)) settled_.insert(members_.self_id());
  if (is_settled() || round_repeat_at_ > now.steady) return;
  round_repeat_at_ = now.steady + kRepeatEvery;
  std::vector<chain::NodeId> to;
  for (const auto& server : replica_.configuration()) {
    const auto node = members_.node_of(server.id);
    if (server.suffrage == Suffrage::kVoter && node && members_.is_linked(*node) &&
        !settled_.contains(*node))
      to.push_back(*node);
  }
  outbox_.send(std::move(to), net::SettleAsk{round_->term, round_->voters_since});
}

bool Steward::is_settled() const {
  if (!round_ || round_->term != replica_.term() ||
      round_->voters_since != members_.set().voters_since)
    return false;
  const consensus::Configuration& configuration = replica_.configuration();
  const auto count = std::ranges::count_if(
      settled_, [&](const chain::NodeId& node) { return votes(configuration, node); });
  return static_cast<std::size_t>(count) > consensus::voter_count(configuration) / 2;
}

void Steward::said(const chain::NodeId& peer, const net::SettleHeld& held) {
  if (round_ && round_->term == held.term && round_->voters_since == held.voters_since)
    settled_.insert(peer);
}

// --- as a voter ---------------------------------------------------------------------------------

std::uint64_t Steward::newest_pending() const {
  return ledger_.pool().newest_arrival();
}

bool Steward::is_done(const Settling& settling) const {
  const auto& pool = ledger_.pool();
  return pool.size() == 0 || pool.in_order().front().arrival > settling.newest;
}

void Steward::said(const chain::NodeId& peer, const net::SettleAsk& ask) {
  const auto server = replica_.leader();
  const bool is_leader = server && *server == server_of(peer) && ask.term == replica_.term();
  // An answer given with the voters of before could count an event for them afterwards.
  if (!is_leader || ask.voters_since != members_.set().voters_since) return;
  if (asked_ && asked_->term == ask.term && asked_->voters_since == ask.voters_since) return;
  asked_ = Settling{ask.term, ask.voters_since, newest_pending(), peer};
}

}  // namespace eventchain::node
