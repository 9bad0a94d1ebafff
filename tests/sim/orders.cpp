#include "tests/sim/orders.h"

#include <algorithm>

namespace eventchain::sim {

namespace {

// After every block of a simulation, whatever the wall clocks show.
constexpr chain::UnixMillis kNeverRunsOut{4'000'000'000'000};

chain::Invite invite(const Machine& machine, chain::MemberRole role) {
  chain::Invite order;
  order.invitation.token_hash = chain::token_hash(machine.token);
  order.invitation.role = role;
  order.invitation.name = machine.member.name;
  order.invitation.site = machine.member.site;
  order.invitation.until = kNeverRunsOut;
  return order;
}

chain::Admit admit(const Machine& machine, const chain::MemberSet& now) {
  chain::Admit order{machine.token, machine.member};
  order.member.role = chain::MemberRole::kObserver;
  for (const auto& one : now.invitations)
    if (one.token_hash == chain::token_hash(machine.token)) order.member.role = one.role;
  while (chain::member_at(now, order.member.slot) != nullptr)
    order.member.slot = order.member.slot.next();
  return order;
}

chain::MemberOrder by_operator(decltype(chain::MemberOrder::what) what) {
  return {"operator", std::move(what)};
}

}  // namespace

const char* to_string(OrderKind kind) {
  switch (kind) {
    case OrderKind::kInviteStandby:
      return "invite as standby";
    case OrderKind::kInviteObserver:
      return "invite as observer";
    case OrderKind::kInviteLight:
      return "invite as light member";
    case OrderKind::kAdmit:
      return "admit";
    case OrderKind::kPromote:
      return "promote";
    case OrderKind::kDemote:
      return "demote";
    case OrderKind::kObserve:
      return "observe";
    case OrderKind::kRemove:
      return "remove";
    case OrderKind::kTransfer:
      return "transfer";
    case OrderKind::kPolicy:
      return "policy";
  }
  return "";
}

net::Order make_order(OrderKind kind, const Machine& machine, const chain::MemberSet& now) {
  const chain::NodeId& node = machine.member.node;
  switch (kind) {
    case OrderKind::kInviteStandby:
      return by_operator(invite(machine, chain::MemberRole::kStandby));
    case OrderKind::kInviteObserver:
      return by_operator(invite(machine, chain::MemberRole::kObserver));
    case OrderKind::kInviteLight:
      return by_operator(invite(machine, chain::MemberRole::kLight));
    case OrderKind::kAdmit:
      return by_operator(admit(machine, now));
    case OrderKind::kPromote:
      return by_operator(chain::SetRole{node, chain::MemberRole::kVoter});
    case OrderKind::kDemote:
      return by_operator(chain::SetRole{node, chain::MemberRole::kStandby});
    case OrderKind::kObserve:
      return by_operator(chain::SetRole{node, chain::MemberRole::kObserver});
    case OrderKind::kRemove:
      return by_operator(chain::RemoveMember{node});
    case OrderKind::kTransfer:
    case OrderKind::kPolicy:
      break;
  }
  return net::TransferLeadership{node};
}

net::Order make_policy(std::uint8_t wanted, std::uint32_t grace_ms) {
  return by_operator(chain::SetVoterPolicy{{wanted, grace_ms}});
}

}  // namespace eventchain::sim
