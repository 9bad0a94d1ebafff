#include <algorithm>
#include <iterator>
#include <utility>

#include "chain/work_proof.h"

// Which blocks a proof has in it, and putting them together.
namespace eventchain::chain {

std::optional<SampleTask> sample_task(const WorkSampling& sampling, const SealedHeader& head,
                                      const U256& total, const U256& last) {
  const auto target = expand(head.header.share_target);
  if (!target || head.seal.shares.empty() || total.bit_length() > kSampledWorkBitsMax)
    return std::nullopt;
  const SampledWork work{total, last, expected_hashes(*target)};
  SampleTask task{plan_samples(sampling, work), {}};
  task.places = sample_places(task.plan, work, sampling_seed(head));
  return task;
}

Height first_of_last(const WorkSampling& sampling, Height head) {
  return Height{head.value > sampling.last ? head.value - sampling.last : 1};
}

Result<WorkProof> assemble_work_proof(Receipt head, const WorkSampling& sampling,
                                      const HistoryReader& nodes, const HeaderReader& headers) {
  if (const auto checked = check_sampling(sampling); !checked)
    return tl::unexpected<Error>(checked.error());
  if (head.block.header.height.value == 0)
    return fail(ErrorCode::kInvalid, "there is no work below the genesis block; wait for a block");
  WorkProof proof{std::move(head), sampling, {}, {}};
  const Height height = proof.head.block.header.height;
  const Height first = first_of_last(sampling, height);
  std::vector<SealedHeader> last;
  U256 last_work;
  for (Height at = first; at < height; at = at.next()) {
    auto sealed = headers(at);
    if (!sealed) return tl::unexpected<Error>(sealed.error());
    last_work = saturating_add(last_work, block_work(sealed->header));
    last.push_back(std::move(*sealed));
  }
  const auto top = history_range(0, height.value, nodes);
  if (!top) return tl::unexpected<Error>(top.error());
  const auto task = sample_task(sampling, proof.head.block, top->work, last_work);
  if (!task) return fail(ErrorCode::kCorrupt, "the history has more work than there can be");
  const auto sampled = heights_at(task->places, height.value, nodes);
  if (!sampled) return tl::unexpected<Error>(sampled.error());
  std::vector<Height> leaves{Height{0}};
  for (const Height at : *sampled) {
    if (at >= first || at == Height{0}) continue;
    auto sealed = headers(at);
    if (!sealed) return tl::unexpected<Error>(sealed.error());
    leaves.push_back(at);
    proof.blocks.push_back(std::move(*sealed));
  }
  for (Height at = first; at < height; at = at.next()) leaves.push_back(at);
  std::ranges::move(last, std::back_inserter(proof.blocks));
  auto cut = cut_history(leaves, height.value, nodes);
  if (!cut) return tl::unexpected<Error>(cut.error());
  proof.nodes = std::move(*cut);
  return proof;
}

}  // namespace eventchain::chain
