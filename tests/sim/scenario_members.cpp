// Stories of clusters whose members change.

#include <algorithm>
#include <charconv>

#include "tests/sim/orders.h"
#include "tests/sim/scenario.h"

namespace eventchain::sim {

namespace {

constexpr Span kTimeout = std::chrono::seconds(30);
constexpr Span kAskAgain = std::chrono::milliseconds(250);

const std::string& at(const std::vector<std::string>& words, std::size_t index) {
  if (index >= words.size()) throw ScenarioFailure("a word is missing");
  return words[index];
}

template <class Number>
Number number(const std::string& word) {
  Number value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size())
    throw ScenarioFailure("'" + word + "' is no number, or too large a one");
  return value;
}

OrderKind kind_of(const std::string& what, const std::string& role) {
  if (what == "invite" && role == "observer") return OrderKind::kInviteObserver;
  if (what == "invite" && role == "light") return OrderKind::kInviteLight;
  if (what == "invite") return OrderKind::kInviteStandby;
  if (what == "admit") return OrderKind::kAdmit;
  if (what == "promote") return OrderKind::kPromote;
  if (what == "demote") return OrderKind::kDemote;
  if (what == "observe") return OrderKind::kObserve;
  if (what == "remove") return OrderKind::kRemove;
  if (what == "transfer") return OrderKind::kTransfer;
  throw ScenarioFailure("nobody orders to '" + what + "'");
}

const char* name_of(net::OrderOutcome outcome) {
  switch (outcome) {
    case net::OrderOutcome::kDone:
      return "done";
    case net::OrderOutcome::kRefused:
      return "refused";
    case net::OrderOutcome::kNotNow:
      return "not-now";
  }
  return "";
}

}  // namespace

// order NAME at NODE invite NODE [as standby|observer|light]
//                  | admit|promote|demote|observe|remove|transfer NODE | policy VOTERS GRACE_MS
void Scenario::order(const Words& words) {
  const std::string& name = at(words, 0);
  const std::size_t through = node(at(words, 2));
  const std::string& what = at(words, 3);
  orders_[name] = "nothing";
  if (what == "policy") {
    const auto wanted = number<std::uint8_t>(at(words, 4));
    ask(through, name, make_policy(wanted, number<std::uint32_t>(at(words, 5))));
    return;
  }
  const std::string role = words.size() > 6 ? words[6] : "standby";
  if (role != "standby" && role != "observer" && role != "light")
    throw ScenarioFailure("one is invited as standby, as observer or as light");
  const Machine& machine = cluster_->roster()[node(at(words, 4))];
  ask(through, name, make_order(kind_of(what, role), machine, *cluster_->membership().newest()));
}

void Scenario::ask(std::size_t at_node, const std::string& name, const net::Order& order) {
  cluster_->order(at_node, order, kTimeout,
                  [this, at_node, name, order](const std::optional<node::OrderAnswer>& answer) {
                    orders_[name] = answer ? name_of(answer->outcome) : "forsaken";
                    if (!answer || answer->outcome != net::OrderOutcome::kNotNow) return;
                    cluster_->scheduler().after(
                        kAskAgain, [this, at_node, name, order] { ask(at_node, name, order); });
                  });
}

// program NODE LEVEL: another version of the program; a node that runs is started anew with it
void Scenario::program(const Words& words) {
  cluster_->install(node(at(words, 0)), number<std::uint16_t>(at(words, 1)));
}

Scenario::Condition Scenario::about_part(const std::string& who, const std::string& part) {
  using chain::MemberRole;
  static const std::map<std::string, std::optional<MemberRole>> kParts{
      {"voter", MemberRole::kVoter},       {"standby", MemberRole::kStandby},
      {"observer", MemberRole::kObserver}, {"light", MemberRole::kLight},
      {"outsider", std::nullopt},
  };
  if (part == "gone")
    return [this, who] {
      return std::ranges::all_of(nodes(who),
                                 [this](std::size_t one) { return cluster_->is_gone(one); });
    };
  if (part == "outdated")
    return [this, who] {
      return std::ranges::all_of(nodes(who),
                                 [this](std::size_t one) { return cluster_->is_outdated(one); });
    };
  const auto wanted = kParts.find(part);
  if (wanted == kParts.end()) throw ScenarioFailure("nobody is '" + part + "'");
  return [this, who, role = wanted->second] {
    return std::ranges::all_of(nodes(who), [&](std::size_t one) {
      const chain::Member* member =
          chain::find_member(*cluster_->membership().newest(), cluster_->roster().node(one));
      return member == nullptr ? !role : role == member->role;
    });
  };
}

}  // namespace eventchain::sim
