#include "chain/work_sampling.h"

#include <fmt/format.h>

#include <algorithm>

#include "chain/encoding.h"
#include "chain/hash.h"

namespace eventchain::chain {

namespace {

constexpr std::string_view kSeedTag = "ec:work-seed";
constexpr std::string_view kSampleTag = "ec:work-sample";

// Samples in each octave for one bit: the inverse, rounded up, of -log2 of the greatest probability
// that one sample in each misses (WORK_PROOFS.md): 1/4, 2/3 and 8/9.
struct Rate {
  unsigned samples, bits;
};
Rate rate_of(WorkShare share) {
  switch (share) {
    case WorkShare::kHalf:
      return {1, 2};
    case WorkShare::kThreeQuarters:
      return {12, 7};
    case WorkShare::kNineTenths:
      return {6, 1};
  }
  return {6, 1};
}

U256 remainder(const U256& value, const U256& divisor) {
  return value - (value / divisor) * divisor;
}

}  // namespace

unsigned percent_of(WorkShare share) {
  switch (share) {
    case WorkShare::kHalf:
      return 50;
    case WorkShare::kThreeQuarters:
      return 75;
    case WorkShare::kNineTenths:
      return 90;
  }
  return 0;
}

std::optional<WorkShare> work_share_of(unsigned percent) {
  for (const WorkShare share :
       {WorkShare::kHalf, WorkShare::kThreeQuarters, WorkShare::kNineTenths})
    if (percent_of(share) == percent) return share;
  return std::nullopt;
}

Result<void> check_sampling(const WorkSampling& sampling) {
  if (sampling.bits == 0 || sampling.bits > kSamplingBitsMax)
    return fail(ErrorCode::kInvalid, fmt::format("{} bits of certainty; choose 1 to {}",
                                                 sampling.bits, kSamplingBitsMax));
  if (sampling.last == 0 || sampling.last > kSamplingLastMax)
    return fail(ErrorCode::kInvalid,
                fmt::format("the last {} blocks; choose 1 to {}", sampling.last, kSamplingLastMax));
  return {};
}

Hash sampling_seed(const SealedHeader& head) {
  EC_ASSERT(!head.seal.shares.empty(), "a head has shares");
  const Nonce& share = head.seal.shares.front();
  Writer preimage(16 + 32 + 12);
  preimage.header(kSeedTag).fixed(template_hash(head.header)).u64(share.high).u32(share.low);
  return sha256(preimage.take());
}

SamplePlan plan_samples(const WorkSampling& sampling, const SampledWork& work) {
  EC_ASSERT(work.total.bit_length() <= kSampledWorkBitsMax && !work.try_hashes.is_zero(),
            "places are drawn in work that was looked at");
  SamplePlan plan;
  while ((work.total >> plan.octaves) > work.last) ++plan.octaves;
  // Whoever spends as many hashes on tries as the history claims has so many tries.
  const unsigned bits = sampling.bits + (work.total / work.try_hashes).bit_length();
  const Rate rate = rate_of(sampling.share);
  plan.each = (bits * rate.samples + rate.bits - 1) / rate.bits;
  return plan;
}

std::vector<U256> sample_places(const SamplePlan& plan, const SampledWork& work, const Hash& seed) {
  std::vector<U256> places;
  places.reserve(plan.samples());
  for (unsigned octave = 0; octave < plan.octaves; ++octave) {
    const U256 most = work.total >> octave;
    const U256 least = work.total >> (octave + 1);  // the octave begins after it
    for (unsigned sample = 0; sample < plan.each; ++sample) {
      Writer preimage(16 + 32 + 4);
      preimage.header(kSampleTag).fixed(seed);
      preimage.u16(static_cast<std::uint16_t>(octave)).u16(static_cast<std::uint16_t>(sample));
      const U256 drawn = U256::from_little_endian(sha256(preimage.take()).view());
      const U256 to_head = least + U256(1) + remainder(drawn, most - least);
      places.push_back(work.total - to_head);
    }
  }
  std::ranges::sort(places);
  return places;
}

}  // namespace eventchain::chain
