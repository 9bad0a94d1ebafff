#include "tests/sim/checkers/member_checker.h"

#include <algorithm>

#include "node/steward.h"

namespace eventchain::sim {

namespace {

chain::MemberOrder without_slot(chain::MemberOrder order) {
  if (auto* admit = std::get_if<chain::Admit>(&order.what)) admit->member.slot = {};
  return order;
}

[[noreturn]] void fail(const char* invariant, const chain::TemplateHeader& header,
                       const std::string& why) {
  throw Violation(invariant, fmt::format("block {} {}", header.height.value, why));
}

}  // namespace

MemberChecker::MemberChecker(const chain::Genesis& genesis, std::size_t hosts)
    : blocks_(1), seen_(hosts) {
  sets_.assign(2, std::make_shared<const chain::MemberSet>(chain::first_members(genesis)));
}

void MemberChecker::extended(const std::vector<chain::Block>& blocks) {
  for (const chain::Block& block : blocks) {
    const chain::TemplateHeader& header = block.sealed.header;
    if (header.height != newest_height()) fail("members", header, "does not follow the one before");
    if (header.member_set != chain::member_set_hash(*newest()))
      fail("members", header, "names another set than is in force");
    chain::MemberChange change(newest(), header.height, header.time);
    std::vector<chain::MemberOrder> orders;
    for (const auto& item : block.content.annex) {
      const auto* order = std::get_if<chain::MemberOrder>(&item);
      if (order == nullptr) continue;
      if (!is_authorised(*order)) fail("I17", header, "has an order that nobody gave");
      if (const auto done = change.apply(*order); !done)
        fail("members", header, "has an order that breaks a rule: " + done.error().message);
      orders.push_back(*order);
    }
    orders_ += orders.size();
    blocks_.push_back(std::move(orders));
    sets_.push_back(change.take());
  }
}

void MemberChecker::ordered(const net::Order& order) {
  if (const auto* one = std::get_if<chain::MemberOrder>(&order))
    ordered_.push_back(without_slot(*one));
}

// What operators want, the step before it that a leader takes, and what it may do of its own.
bool MemberChecker::is_authorised(const chain::MemberOrder& order) const {
  if (order.by == node::Steward::kPolicyName)
    return std::holds_alternative<chain::RaiseFeatureLevel>(order.what) ||
           newest()->policy.wanted != 0;
  const auto* role = std::get_if<chain::SetRole>(&order.what);
  return std::ranges::any_of(ordered_, [&](const chain::MemberOrder& one) {
    if (one == without_slot(order)) return true;
    const auto* removal = std::get_if<chain::RemoveMember>(&one.what);
    return role != nullptr && removal != nullptr && role->node == removal->node &&
           role->role == chain::MemberRole::kStandby;
  });
}

void MemberChecker::committed(NodeHost& host) {
  const chain::Height seen = seen_[host.index()];
  const chain::Height tip = host.core().chain_state().height();
  for (chain::Height height = seen.next(); height <= tip; height = height.next())
    if (*host.store().chain().members(height) != *at(height))
      throw Violation("members", fmt::format("n{} has other members at height {} than the chain",
                                             host.index(), height.value));
  committed_light(host);
}

void MemberChecker::committed_light(const NodeHost& host) {
  chain::Height& seen = seen_[host.index()];
  const chain::Height tip = host.headers().height();
  if (seen != tip && *host.headers().members != *at(tip.next()))
    throw Violation("members", fmt::format("n{} goes on from height {} with other members than the "
                                           "chain",
                                           host.index(), tip.value));
  seen = tip;
}

const chain::MembersRef& MemberChecker::at(chain::Height height) const {
  return sets_[std::min(height, newest_height()).value];
}

std::vector<chain::MembersRef> MemberChecker::raft_may_have(chain::Height height) const {
  const chain::MembersRef& set = at(height);
  std::vector<chain::MembersRef> sets{set};
  if (set->voters_since.value > 0) sets.push_back(at(set->voters_since));
  return sets;
}

std::vector<chain::MembersRef> MemberChecker::since(chain::Height height) const {
  std::vector<chain::MembersRef> sets;
  for (; height <= newest_height(); height = height.next())
    if (sets.empty() || sets.back() != at(height)) sets.push_back(at(height));
  return sets;
}

bool MemberChecker::has_belonged(const chain::NodeId& node) const {
  return std::ranges::any_of(
      sets_, [&](const auto& set) { return chain::find_member(*set, node) != nullptr; });
}

void MemberChecker::answered(std::size_t host, const net::Order& order,
                             chain::Height height) const {
  const auto* wanted = std::get_if<chain::MemberOrder>(&order);
  if (wanted == nullptr) return;
  const bool is_there = height.value > 0 && height < newest_height() &&
                        std::ranges::any_of(blocks_[height.value], [&](const auto& one) {
                          return without_slot(one) == without_slot(*wanted);
                        });
  if (!is_there)
    throw Violation("orders", fmt::format("n{} calls an order done by block {}, which has it not",
                                          host, height.value));
}

}  // namespace eventchain::sim
