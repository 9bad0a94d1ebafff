#include "chain/work_proof.h"

#include <fmt/format.h>

#include <algorithm>

#include "chain/difficulty.h"
#include "chain/seal_check.h"
#include "chain/work_summary.h"

namespace eventchain::chain {

namespace {

HistoryNode leaf_of(const SealedHeader& sealed, const BlockId& id) {
  return history_leaf(id, block_work(sealed.header), sealed.header.time, sealed.seal.sealed_at);
}

// Goes through the steps of WORK_PROOFS.md, from the head downwards. Each adds one line to the
// report and tells whether to go on.
class WorkVerification {
 public:
  WorkVerification(const WorkProof& proof, const WorkTrust& trust)
      : proof_(proof),
        trust_(trust),
        head_(proof.head.block),
        genesis_(genesis_block(trust.genesis)),
        digest_(trust.digest != nullptr ? trust.digest
                                        : plain_digest(trust.genesis.work_function)) {}

  WorkReport run() {
    const bool is_good = check_function() && check_sampling_asked() && check_head() &&
                         check_seals() && check_history() && check_samples() &&
                         check_neighbours() && check_work();
    if (is_good) {
      report_.facts = std::move(facts_);
      summarize(proof_, trust_, report_);
    }
    return std::move(report_);
  }

 private:
  bool note(const char* name, StepState state, std::string text) {
    report_.steps.push_back({name, state, std::move(text)});
    return state != StepState::kFailed;
  }
  bool passed(const char* name, std::string text) {
    return note(name, StepState::kPassed, std::move(text));
  }
  bool failed(const char* name, std::string text) {
    return note(name, StepState::kFailed, std::move(text));
  }

  bool check_function();
  bool check_sampling_asked();
  bool check_head();
  bool check_seals();
  bool check_history();
  bool check_samples();
  bool check_neighbours();
  bool check_work();
  [[nodiscard]] std::string fault_of_place(const SealedHeader& sealed,
                                           const HistoryPlace& place) const;
  [[nodiscard]] std::string fault_between(const SealedHeader& lower, const BlockId& lower_id,
                                          const SealedHeader& upper) const;
  [[nodiscard]] U256 work_from(Height height) const;

  const WorkProof& proof_;
  const WorkTrust& trust_;
  const SealedHeader& head_;
  const SealedHeader genesis_;
  const ShareDigest* const digest_;
  std::vector<BlockId> ids_;  // of proof_.blocks
  FoldedHistory folded_;      // places: genesis, then those of proof_.blocks
  WorkFacts facts_;
  WorkReport report_;
};

bool WorkVerification::check_function() {
  const WorkFunction function = trust_.genesis.work_function;
  if (function == WorkFunction::kNone)
    return failed("function",
                  "the chain's work function is none: there is no work to prove, it rests on "
                  "signatures alone");
  return passed("function", fmt::format("the chain's work is hashes by {}", to_string(function)));
}

bool WorkVerification::check_sampling_asked() {
  const WorkSampling& given = proof_.sampling;
  if (const auto checked = check_sampling(given); !checked)
    return failed("parameters", checked.error().message);
  const WorkSampling& least = trust_.least;
  if (given.share < least.share || given.bits < least.bits)
    return failed(
        "parameters",
        fmt::format("the proof is for {} % of the work with {} bits of certainty, and "
                    "asked for were at least {} % with {}: get one with these",
                    percent_of(given.share), given.bits, percent_of(least.share), least.bits));
  facts_.sampling = given;
  return passed("parameters", fmt::format("the proof is for {} % of the work with {} bits of "
                                          "certainty, and shows the last {} blocks",
                                          percent_of(given.share), given.bits, given.last));
}

bool WorkVerification::check_head() {
  if (!is_of_block(proof_.head) || proof_.head.newer || proof_.head.consistency)
    return failed("head", "the head is no receipt of a block alone, with its own certificate");
  ReceiptReport head = verify_receipt(proof_.head, {trust_.genesis, digest_, std::nullopt});
  const bool is_good = head.is_proved();
  for (ReceiptStep& step : head.steps) {
    step.name = "head-" + step.name;
    report_.steps.push_back(std::move(step));
  }
  if (!is_good) return false;
  facts_.head = head_.header.height;
  facts_.head_id = head.facts->block_id;
  facts_.sealed_at = head_.seal.sealed_at;
  facts_.signers = head.facts->signers;
  facts_.voters = head.facts->voters;
  return true;
}

bool WorkVerification::check_seals() {
  const char* const step = "seals";
  const ChainId chain = genesis_.header.chain;
  for (const SealedHeader& sealed : proof_.blocks) {
    if (sealed.header.chain != chain)
      return failed(step, fmt::format("the header of block {} is of another chain, {}",
                                      sealed.header.height.value, to_hex(sealed.header.chain)));
    if (std::string fault = seal_fault(trust_.genesis, sealed); !fault.empty())
      return failed(step, std::move(fault));
    ids_.push_back(block_id(sealed));
  }
  return passed(step,
                fmt::format("the headers and seals of the {} blocks shown are well-formed, and no "
                            "target is easier than the genesis file allows",
                            proof_.blocks.size()));
}

std::string WorkVerification::fault_of_place(const SealedHeader& sealed,
                                             const HistoryPlace& place) const {
  const std::uint64_t height = sealed.header.height.value;
  if (sealed.header.history_root != place.root_before)
    return fmt::format("block {} was worked for another history than the one below it", height);
  if (place.sealed_before && sealed.header.started < *place.sealed_before)
    return fmt::format("work on block {} began before the block below it was sealed", height);
  if (place.time_after && *place.time_after < sealed.seal.sealed_at)
    return fmt::format("work on the block above block {} was under way before that was sealed",
                       height);
  return {};
}

bool WorkVerification::check_history() {
  const char* const step = "history";
  const std::uint64_t height = head_.header.height.value;
  std::vector<ShownLeaf> shown{{Height{0}, leaf_of(genesis_, block_id(genesis_))}};
  for (std::size_t i = 0; i < proof_.blocks.size(); ++i)
    shown.push_back({proof_.blocks[i].header.height, leaf_of(proof_.blocks[i], ids_[i])});
  auto folded = fold_history(shown, height, proof_.nodes);
  if (!folded)
    return failed(
        step, fmt::format("blocks and nodes do not make up the history below block {}", height));
  if (history_root(folded->top) != head_.header.history_root)
    return failed(step, fmt::format("blocks and nodes do not lead to the history root that block "
                                    "{} names",
                                    height));
  folded_ = std::move(*folded);
  for (std::size_t i = 0; i < proof_.blocks.size(); ++i)
    if (std::string fault = fault_of_place(proof_.blocks[i], folded_.places[i + 1]); !fault.empty())
      return failed(step, std::move(fault));
  std::uint64_t entries = 0;
  for (const SealedHeader& sealed : proof_.blocks) {
    if (sealed.header.log_size < entries)
      return failed(step, fmt::format("the log is shorter at block {} than at a block below it",
                                      sealed.header.height.value));
    entries = sealed.header.log_size;
  }
  if (head_.header.log_size < entries)
    return failed(step, "the log is shorter at the head than at a block below it");
  facts_.claimed = saturating_add(folded_.top.work, block_work(head_.header));
  return passed(step, fmt::format("the blocks shown, and genesis, stand in the history of {} "
                                  "blocks below the head, and each names the history below itself",
                                  height));
}

// Of the blocks shown from the height on.
U256 WorkVerification::work_from(Height height) const {
  U256 work;
  for (const SealedHeader& sealed : proof_.blocks)
    if (sealed.header.height >= height) work = saturating_add(work, block_work(sealed.header));
  return work;
}

bool WorkVerification::check_samples() {
  const char* const step = "samples";
  const Height first = first_of_last(proof_.sampling, head_.header.height);
  const auto task = sample_task(proof_.sampling, head_, folded_.top.work, work_from(first));
  if (!task)
    return failed(step, fmt::format("the history claims {} hashes, more than a proof can be of",
                                    folded_.top.work.to_decimal()));
  // Both ascend. What is neither one of the last nor sampled must not be there.
  std::size_t next = 0;  // place not looked at yet
  std::uint64_t missing = first.value;
  for (std::size_t i = 0; i < proof_.blocks.size(); ++i) {
    const Height height = proof_.blocks[i].header.height;
    const U256& before = folded_.places[i + 1].work_before;
    const U256 behind = saturating_add(before, block_work(proof_.blocks[i].header));
    if (next < task->places.size() && task->places[next] < before)
      return failed(step, fmt::format("a sample lies below block {}, and its block is not shown",
                                      height.value));
    bool is_needed = height >= first;
    for (; next < task->places.size() && task->places[next] < behind; ++next) is_needed = true;
    if (!is_needed) return failed(step, fmt::format("no sample lies in block {}", height.value));
    if (height >= first && height.value != missing++)
      return failed(step,
                    fmt::format("one of the last {} blocks is not shown", proof_.sampling.last));
  }
  if (next < task->places.size() || missing != head_.header.height.value)
    return failed(step, "a sample, or one of the last blocks, is not shown");
  facts_.plan = task->plan;
  facts_.blocks = proof_.blocks.size() + 1;
  facts_.shown = saturating_add(work_from(Height{1}), block_work(head_.header));
  return passed(step, fmt::format("the last {} blocks are shown, and those in which the {} samples "
                                  "lie, in {} octaves of the work; and no other",
                                  head_.header.height.value - first.value, task->plan.samples(),
                                  task->plan.octaves));
}

// What is wrong with a block on top of another, as far as the two tell.
std::string WorkVerification::fault_between(const SealedHeader& lower, const BlockId& lower_id,
                                            const SealedHeader& upper) const {
  if (lower.header.height.next() != upper.header.height) return {};
  const std::uint64_t height = upper.header.height.value;
  if (upper.header.parent != lower_id)
    return fmt::format("block {} names another parent than block {}", height,
                       lower.header.height.value);
  if (upper.header.started < lower.seal.sealed_at)
    return fmt::format("work on block {} began before the block below it was sealed", height);
  if (upper.header.share_target !=
      required_target(trust_.genesis, lower, upper.header.started, upper.header.time))
    return fmt::format("the target of block {} does not follow from that of block {}", height,
                       lower.header.height.value);
  return {};
}

bool WorkVerification::check_neighbours() {
  const char* const step = "neighbours";
  const SealedHeader* lower = &genesis_;
  BlockId lower_id = block_id(genesis_);
  std::size_t pairs = 0;
  for (std::size_t i = 0; i <= proof_.blocks.size(); ++i) {
    const SealedHeader& upper = i < proof_.blocks.size() ? proof_.blocks[i] : head_;
    if (std::string fault = fault_between(*lower, lower_id, upper); !fault.empty())
      return failed(step, std::move(fault));
    if (lower->header.height.next() == upper.header.height) ++pairs;
    lower = &upper;
    if (i < proof_.blocks.size()) lower_id = ids_[i];
  }
  return passed(step,
                fmt::format("where a block is shown with the one below it, {} times, it names "
                            "that as its parent, and its target follows",
                            pairs));
}

bool WorkVerification::check_work() {
  const char* const step = "work";
  const WorkFunction function = trust_.genesis.work_function;
  if (digest_ == nullptr)
    return note(
        step, StepState::kNotChecked,
        fmt::format("the shares' hashes by {} were not computed here", to_string(function)));
  for (const SealedHeader& sealed : proof_.blocks)
    if (std::string fault = work_fault(*digest_, sealed); !fault.empty())
      return failed(step, std::move(fault));
  return passed(step, fmt::format("all shares of the blocks shown meet their targets: with the "
                                  "head's about {} hashes by {}",
                                  facts_.shown.to_decimal(), to_string(function)));
}

}  // namespace

const ReceiptStep* WorkReport::failed() const {
  const auto found = std::ranges::find(steps, StepState::kFailed, &ReceiptStep::state);
  return found == steps.end() ? nullptr : &*found;
}

const ReceiptStep* WorkReport::find(std::string_view name) const {
  const auto found = std::ranges::find(steps, name, &ReceiptStep::name);
  return found == steps.end() ? nullptr : &*found;
}

bool WorkReport::is_proved() const {
  return failed() == nullptr && std::ranges::all_of(steps, [](const ReceiptStep& step) {
           return step.name != "work" || step.state == StepState::kPassed;
         });
}

WorkReport verify_work_proof(const WorkProof& proof, const WorkTrust& trust) {
  return WorkVerification(proof, trust).run();
}

}  // namespace eventchain::chain
