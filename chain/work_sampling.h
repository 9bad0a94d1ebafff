#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "chain/block.h"
#include "chain/result.h"
#include "chain/types.h"
#include "chain/u256.h"

// Which blocks of a history are looked at to tell what work was done for it, without looking at all
// of them (FlyClient: Buenz, Kiffer, Luu, Zamani, 2020). WORK_PROOFS.md has the reasons and the
// bounds. Integers alone: every program gets the same places.
namespace eventchain::chain {

// How much of the work that any end of a history claims must have been done, or the proof fails.
// More takes more samples: of those for a half, some 3.4 times and 12 times as many.
enum class WorkShare : std::uint8_t { kHalf, kThreeQuarters, kNineTenths };
unsigned percent_of(WorkShare share);  // 50, 75, 90
std::optional<WorkShare> work_share_of(unsigned percent);

struct WorkSampling {
  WorkShare share = WorkShare::kHalf;
  // A history with less work passes with a probability of at most 2^-bits, whatever is tried for as
  // many hashes as it claims. 1..kSamplingBitsMax.
  std::uint16_t bits = 40;
  std::uint16_t last = 64;  // that many blocks below the head are always shown; 1..kSamplingLastMax
  bool operator==(const WorkSampling&) const = default;
};
inline constexpr std::uint16_t kSamplingBitsMax = 128;
inline constexpr std::uint16_t kSamplingLastMax = 4096;
// No sum of work that is sampled has more bits: the places are even enough then.
inline constexpr unsigned kSampledWorkBitsMax = 128;
// kInvalid names the parameter and its range.
Result<void> check_sampling(const WorkSampling& sampling);

// What all places follow from. It hangs on one share of the head, not on its id: the time in a seal
// can be changed for nothing, and of a few shares too many one can choose which to leave out in
// very many ways; one more share to begin with costs a share's work. Pre: the head has a share.
Hash sampling_seed(const SealedHeader& head);

// What is known of a history before places are drawn.
struct SampledWork {
  U256 total;       // of all blocks below the head; kSampledWorkBitsMax bits at most
  U256 last;        // of those that are shown anyway
  U256 try_hashes;  // what another seed costs: expected hashes for one share of the head; not zero
};

// The work from a place to the head is an octave's if it is in (total / 2^(j+1), total / 2^j]. So
// many octaves lie, wholly or in part, outside what is shown anyway; each has as many samples.
struct SamplePlan {
  unsigned octaves = 0;
  unsigned each = 0;
  [[nodiscard]] std::size_t samples() const { return std::size_t{octaves} * each; }
  bool operator==(const SamplePlan&) const = default;
};
SamplePlan plan_samples(const WorkSampling& sampling, const SampledWork& work);

// The places: work that precedes each, ascending, below work.total. The block that a place is in is
// looked at; one may be in several.
std::vector<U256> sample_places(const SamplePlan& plan, const SampledWork& work, const Hash& seed);

}  // namespace eventchain::chain
