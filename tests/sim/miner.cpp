#include "tests/sim/miner.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "mining/tile_search.h"
#include "tests/sim/draws.h"
#include "tests/sim/trace.h"

namespace eventchain::sim {

namespace {
constexpr std::uint64_t kHashesMax = 100'000;
constexpr std::chrono::hours kLongestWait{1};
}  // namespace

Miner::Miner(std::size_t node, std::uint64_t hashes_per_second, Scheduler& scheduler, Found found,
             chain::Rng rng, HashedNonces* nonces)
    : node_(node),
      rate_(hashes_per_second),
      scheduler_(scheduler),
      found_(std::move(found)),
      rng_(rng),
      nonces_(nonces) {}

void Miner::restart() {
  if (nonces_ == nullptr) return;
  // One thread: their numbers are in the nonces like the slots.
  search_ = mining::tile_searches(HashedNonces::kernel())(
      0, {rng_.next(), static_cast<std::uint32_t>(rng_.next())});
}

void Miner::mine(const mining::WorkOrder& order) {
  if (order.template_hash != chain::template_hash(order.header))
    throw Violation("slots", fmt::format("n{} is told to mine another template", node_));
  order_ = order;
  if (search_) search_->switch_to(order);
  wait_for_share();
}

void Miner::stop() {
  order_.reset();
  ++epoch_;
}

void Miner::set_rate(std::uint64_t hashes_per_second) {
  rate_ = hashes_per_second;
  if (order_) wait_for_share();
}

void Miner::wait_for_share() {
  const auto epoch = ++epoch_;
  if (rate_ == 0) return;
  const chain::U256 hashes = chain::expected_hashes(order_->target);
  const chain::U256 nanoseconds = hashes * chain::U256(1'000'000'000) / chain::U256(rate_);
  const std::uint64_t mean =
      nanoseconds.bit_length() > 48 ? std::uint64_t{1} << 48 : nanoseconds.limbs()[0];
  const Span wait =
      std::min<Span>(draw_exponential(rng_, Span(static_cast<std::int64_t>(mean))), kLongestWait);
  scheduler_.after(wait, [this, epoch] {
    if (epoch == epoch_) search();
  });
}

void Miner::search() {
  const auto nonce = search_ ? search_tiles() : search_by_counting();
  wait_for_share();
  if (nonce) found_({order_->template_hash, *nonce});
}

std::optional<chain::Nonce> Miner::search_tiles() {
  const HashedNonces::Recording recording(*nonces_);
  std::vector<chain::Nonce> shares;
  for (std::uint64_t hashes = 0; shares.empty() && hashes < kHashesMax;)
    hashes += search_->advance(shares);
  // What else it has found by then is passed over: shares come when they are due.
  return shares.empty() ? std::nullopt : std::optional(shares.front());
}

std::optional<chain::Nonce> Miner::search_by_counting() {
  for (std::uint64_t i = 0; i < kHashesMax; ++i) {
    const chain::Nonce nonce{chain::nonce_high(order_->slot, 0, counter_ >> 8),
                             static_cast<std::uint32_t>(counter_ & 0xff)};
    ++counter_;
    if (chain::share_meets(digest_, order_->header, nonce, order_->target)) return nonce;
  }
  return std::nullopt;
}

}  // namespace eventchain::sim
