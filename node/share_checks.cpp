#include "node/share_checks.h"

#include <algorithm>
#include <utility>

namespace eventchain::node {

ShareChecks::ShareChecks(ShareChecksOptions options, HandOn hand_on)
    : options_(std::move(options)),
      hand_on_(std::move(hand_on)),
      queue_(options_.genesis, options_.self, *options_.digest) {
  for (unsigned i = 0; i < options_.threads; ++i)
    threads_.emplace_back([this](const std::stop_token& stopping) { run(stopping); });
}

ShareChecks::~ShareChecks() {
  stop();
}

void ShareChecks::stop() {
  for (std::jthread& thread : threads_) thread.request_stop();
  for (std::jthread& thread : threads_)
    if (thread.joinable()) thread.join();
}

std::optional<Input> ShareChecks::take(PeerSaid said, std::size_t bytes) {
  std::optional<Input> passes;
  {
    const std::lock_guard lock(mutex_);
    passes = queue_.offer(std::move(said), bytes);
  }
  if (!passes) came_.notify_one();
  return passes;
}

std::optional<Input> ShareChecks::take(const MinerFound& found) {
  std::optional<Input> passes;
  {
    const std::lock_guard lock(mutex_);
    passes = queue_.offer(found);
  }
  if (!passes) came_.notify_one();
  return passes;
}

void ShareChecks::peer_down(const chain::NodeId& peer) {
  const std::lock_guard lock(mutex_);
  queue_.peer_down(peer);
}

void ShareChecks::see(const Effect& effect) {
  const auto in_hand = [this](const std::optional<chain::TemplateHeader>& header) {
    {
      const std::lock_guard lock(mutex_);
      queue_.in_hand(header);
    }
    came_.notify_all();
  };
  if (const auto* template_in_hand = std::get_if<InHand>(&effect)) {
    in_hand(template_in_hand->header);
  } else if (const auto* mine = std::get_if<Mine>(&effect)) {
    in_hand(mine->order.header);
  } else if (const auto* tip = std::get_if<TipMoved>(&effect)) {
    const std::lock_guard lock(mutex_);
    queue_.tip_moved(tip->height);
  } else if (const auto* hang_up = std::get_if<HangUp>(&effect)) {
    const std::lock_guard lock(mutex_);
    queue_.hung_up(hang_up->peer);
  } else if (const auto* sent = std::get_if<Send>(&effect)) {
    const bool asks = std::holds_alternative<net::BlocksRequest>(sent->message) ||
                      std::holds_alternative<net::HeadersRequest>(sent->message);
    const std::lock_guard lock(mutex_);
    for (const chain::NodeId& peer : sent->to) {
      queue_.spoke_to(peer);
      if (asks) queue_.asked(peer);
    }
  }
}

void ShareChecks::hand_on_all(std::vector<Input>& ready) {
  for (Input& input : ready) hand_on_(std::move(input));
  ready.clear();
}

void ShareChecks::run(const std::stop_token& stopping) {
  std::vector<Input> ready;
  while (!stopping.stop_requested()) {
    std::optional<ShareQueue::Piece> piece;
    {
      std::unique_lock lock(mutex_);
      piece = queue_.next(ready);
      if (!piece && ready.empty()) {
        came_.wait(lock, stopping, [&] {
          piece = queue_.next(ready);
          return piece.has_value() || !ready.empty();
        });
      }
    }
    hand_on_all(ready);
    if (!piece) continue;
    const std::vector<chain::Hash> hashes = options_.digest->digests(piece->preimages);
    const bool meets = std::ranges::all_of(
        hashes, [&](const chain::Hash& hash) { return chain::share_value(hash) <= piece->target; });
    {
      const std::lock_guard lock(mutex_);
      queue_.done(*piece, meets, ready);
    }
    // What waits behind it may be for another thread.
    came_.notify_one();
    hand_on_all(ready);
  }
}

}  // namespace eventchain::node
