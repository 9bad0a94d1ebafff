#include "tests/sim/checkers/chain_checker.h"

#include <algorithm>

namespace eventchain::sim {

ChainChecker::ChainChecker(const chain::Genesis& genesis, const Registry& registry,
                           std::size_t nodes)
    : genesis_(genesis), registry_(registry), seen_(nodes) {
  tip_ = chain::genesis_block(genesis);
  ids_.push_back(chain::block_id(tip_));
  log_sizes_.push_back(0);
}

chain::Height ChainChecker::height() const {
  return chain::Height{ids_.size() - 1};
}

std::vector<chain::Block> ChainChecker::committed(NodeHost& host) {
  const chain::ChainState& state = host.core().chain_state();
  chain::Height& seen = seen_[host.index()];
  if (state.height() < seen)
    throw Violation("I5", fmt::format("n{} fell from height {} to {}", host.index(), seen.value,
                                      state.height().value));
  std::vector<chain::Block> fresh;
  for (; seen < state.height(); seen = seen.next()) {
    const chain::Height next = seen.next();
    auto block = host.store().chain().block(next);
    if (!block) throw Violation("I5", block.error().message);
    if (next > height()) {
      extend(*block);
      fresh.push_back(std::move(*block));
    } else if (chain::block_id(block->sealed) != id_at(next)) {
      throw Violation("I1", fmt::format("n{} has another block at height {} than was committed",
                                        host.index(), next.value));
    }
  }
  if (state.tip != id_at(state.height()))
    throw Violation("I1", fmt::format("n{} has another tip at height {} than was committed",
                                      host.index(), state.height().value));
  if (state.log.size() != log_sizes_[state.height().value])
    throw Violation("I3", fmt::format("n{} counts {} events at height {}", host.index(),
                                      state.log.size(), state.height().value));
  return fresh;
}

void ChainChecker::recovered(NodeHost& host) {
  const chain::ChainState& state = host.core().chain_state();
  if (state.height() != seen_[host.index()])
    throw Violation("I5", fmt::format("n{} came back at height {} after {}", host.index(),
                                      state.height().value, seen_[host.index()].value));
}

void ChainChecker::extend(const chain::Block& block) {
  const chain::TemplateHeader& header = block.sealed.header;
  if (header.height != height().next())
    throw Violation("I1",
                    fmt::format("block {} follows block {}", header.height.value, height().value));
  if (header.parent != ids_.back())
    throw Violation("I1", fmt::format("the parent of block {} is not the block before it",
                                      header.height.value));
  if (header.started < tip_.seal.sealed_at || header.time < header.started ||
      block.sealed.seal.sealed_at < header.time)
    throw Violation("I9", fmt::format("time runs backwards at block {}", header.height.value));
  if (chain::block_work(header).is_zero())
    throw Violation("I9", fmt::format("block {} has no work", header.height.value));
  if (chain::easing_steps(genesis_, header.started, header.time) > 0) ++eased_blocks_;

  for (const auto& entry : block.content.entries) place(entry, header.height);
  for (const auto& item : block.content.annex)
    if (const auto* rejection = std::get_if<chain::Rejection>(&item))
      reject(*rejection, header.height);
  if (header.log_size != next_position_)
    throw Violation("I3", fmt::format("block {} says {} events, {} are placed", header.height.value,
                                      header.log_size, next_position_));
  ids_.push_back(chain::block_id(block.sealed));
  log_sizes_.push_back(header.log_size);
  tip_ = block.sealed;
}

const Submitted& ChainChecker::submitted(const chain::EntryRef& entry) const {
  const Submitted* found = registry_.find(entry.commitment);
  if (found == nullptr || found->facts.key != entry.key)
    throw Violation("I3", "a block names an event that nobody submitted");
  return *found;
}

void ChainChecker::place(const chain::EntryRef& entry, chain::Height height) {
  const Submitted& event = submitted(entry);
  const auto stream = streams_.try_emplace(event.facts.stream, chain::kEmptyStream.value).first;
  if (event.facts.expected && event.facts.expected->value != stream->second)
    throw Violation("I4", fmt::format("block {} places an event that expects version {} at {}",
                                      height.value, event.facts.expected->value, stream->second));
  const chain::StreamVersion version{++stream->second};
  const Placed placed{event.content, chain::Position{next_position_++}, version, height};
  if (!placed_.emplace(entry.key, placed).second)
    throw Violation("I3", fmt::format("block {} places a key a second time", height.value));
}

void ChainChecker::reject(const chain::Rejection& rejection, chain::Height height) {
  const Submitted& event = submitted({rejection.key, rejection.commitment});
  const auto fail = [&](const char* why) {
    throw Violation("I4", fmt::format("block {} rejects an event, {}", height.value, why));
  };
  const Placed* taken = placed(rejection.key);
  const std::int64_t stands = stream_version(event.facts.stream).value;
  switch (rejection.reason) {
    case chain::RejectionReason::kKeyTaken:
      if (taken == nullptr) fail("for a key that is free");
      if (taken->content == event.content) fail("for a key that it has itself");
      break;
    case chain::RejectionReason::kVersionConflict:
      if (!event.facts.expected || event.facts.expected->value >= stands)
        fail("for a version that is not past");
      break;
    case chain::RejectionReason::kExpectationExpired:
      if (!event.facts.expected || event.facts.expected->value <= stands)
        fail("for a version that was reached");
      break;
  }
  ++rejections_;
  rejected_[rejection.key].push_back({event.content, rejection.reason, height});
}

const ChainChecker::Placed* ChainChecker::placed(const chain::EventKey& key) const {
  const auto found = placed_.find(key);
  return found == placed_.end() ? nullptr : &found->second;
}

const std::vector<ChainChecker::Rejected>* ChainChecker::rejected(
    const chain::EventKey& key) const {
  const auto found = rejected_.find(key);
  return found == rejected_.end() ? nullptr : &found->second;
}

chain::StreamVersion ChainChecker::stream_version(const chain::StreamKey& stream) const {
  const auto found = streams_.find(stream);
  return found == streams_.end() ? chain::kEmptyStream : chain::StreamVersion{found->second};
}

}  // namespace eventchain::sim
