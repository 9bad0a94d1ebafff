#include "tests/sim/checkers/promise_checker.h"

#include <algorithm>

namespace eventchain::sim {

namespace {

using State = node::EventOutcome::State;

bool has_come_far_enough(const node::EventOutcome& outcome, node::WaitFor wait) {
  using node::WaitFor;
  if (outcome.state == State::kReceived) return wait == WaitFor::kReceived;
  if (outcome.state == State::kDurable)
    return wait == WaitFor::kReceived || wait == WaitFor::kDurable;
  if (outcome.state == State::kCompleted) return wait != WaitFor::kFinal || outcome.is_final;
  return true;
}

[[noreturn]] void lie(std::size_t node, const std::string& what) {
  throw Violation("I2", fmt::format("n{} told a client {}", node, what));
}

}  // namespace

void PromiseChecker::answered(std::size_t node, const std::vector<chain::HeldEvent>& asked,
                              node::WaitFor wait, const Intake& intake,
                              const node::Answer& answer) {
  if (answer.outcomes.size() != asked.size())
    lie(node, fmt::format("of {} events, asked for {}", answer.outcomes.size(), asked.size()));
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const node::EventOutcome& outcome = answer.outcomes[i];
    if (outcome.key != asked[i].facts.key) lie(node, "of another event");
    if (answer.reached && !has_come_far_enough(outcome, wait))
      lie(node, "that its wish is fulfilled, which it is not");
    const Submitted* event = registry_.find(asked[i].facts.commitment);
    EC_ASSERT(event != nullptr, "clients submit what is registered");
    check_refusal(node, intake, outcome.state);
    check_outcome(node, *event, outcome);
  }
}

void PromiseChecker::check_refusal(std::size_t node, const Intake& intake, State state) const {
  const bool is_closed = intake.is_light || intake.disk_is_full || intake.drains;
  const State reason = intake.drains && !intake.is_light ? State::kDraining : State::kDiskFull;
  if (is_closed && state != reason) lie(node, "something else than why it takes no events in");
  if (!is_closed && (state == State::kDraining || state == State::kDiskFull))
    lie(node, "that it takes no events in, and nobody has told it so");
  if (state == State::kPoolFull && !has_small_pools_)
    lie(node, "that its pool is full, which has room for all that was ever sent");
}

void PromiseChecker::check_outcome(std::size_t node, const Submitted& event,
                                   const node::EventOutcome& outcome) {
  const Promise about{event.facts.key, event.content};
  const ChainChecker::Placed* placed = chain_.placed(event.facts.key);
  switch (outcome.state) {
    case State::kReceived:
    case State::kPoolFull:
    case State::kDiskFull:
    case State::kDraining:
      return;
    case State::kDurable:
      promise(about);
      return;
    case State::kCompleted:
      if (placed == nullptr || placed->content != event.content)
        lie(node, "that an event is completed which has no place");
      // The version is left out where the store does not give it with the position.
      if (outcome.position != placed->position ||
          outcome.version.value_or(placed->version) != placed->version ||
          outcome.height != placed->height)
        lie(node,
            fmt::format("another place than that of the event: position {} not {}",
                        outcome.position ? outcome.position->value : 0, placed->position.value));
      return;
    case State::kRejected: {
      const auto* rejections = chain_.rejected(event.facts.key);
      const bool is_true =
          rejections != nullptr &&
          std::any_of(rejections->begin(), rejections->end(), [&](const auto& one) {
            return one.content == event.content && one.reason == outcome.rejection &&
                   one.height == outcome.height;
          });
      if (!is_true) lie(node, "of a rejection that is in no block");
      told_rejected_.insert(about);
      return;
    }
    case State::kKeyConflict:
      if (registry_.contents_of(event.facts.key) < 2)
        lie(node, "of a conflict over a key that names one content only");
      return;
    case State::kVersionConflict: {
      const auto stands = chain_.stream_version(event.facts.stream);
      if (!event.facts.expected || !outcome.version || *outcome.version > stands ||
          *event.facts.expected >= *outcome.version)
        lie(node, "of a version that its stream does not stand at");
      return;
    }
  }
}

bool PromiseChecker::is_rejected(const Promise& promised) const {
  const auto* rejections = chain_.rejected(promised.first);
  return rejections != nullptr &&
         std::any_of(rejections->begin(), rejections->end(),
                     [&](const auto& one) { return one.content == promised.second; });
}

void PromiseChecker::promise(const Promise& promised) {
  ++promises_;
  if (!is_decided(promised.first, promised.second)) open_.insert(promised);
}

bool PromiseChecker::is_decided(const chain::EventKey& key, ContentId content) const {
  const ChainChecker::Placed* placed = chain_.placed(key);
  return (placed != nullptr && placed->content == content) || is_rejected({key, content});
}

void PromiseChecker::extended(const std::vector<chain::Block>& blocks) {
  for (const auto& block : blocks) {
    for (const auto& entry : block.content.entries) {
      const Promise kept{entry.key, registry_.find(entry.commitment)->content};
      const auto asked = asked_.find(kept.second);
      const auto* placed = chain_.placed(entry.key);
      if (asked != asked_.end() && placed->position.value < asked->second)
        throw Violation("I4", fmt::format("block {} places an event at {}, {} events had been seen "
                                          "before it was submitted",
                                          block.sealed.header.height.value, placed->position.value,
                                          asked->second));
      open_.erase(kept);
      revived_ += told_rejected_.erase(kept);
    }
    for (const auto& item : block.content.annex) {
      const auto* rejection = std::get_if<chain::Rejection>(&item);
      if (rejection == nullptr) continue;
      open_.erase({rejection->key, registry_.find(rejection->commitment)->content});
    }
  }
}

}  // namespace eventchain::sim
