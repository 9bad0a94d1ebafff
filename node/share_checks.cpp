#include "node/share_checks.h"

#include <utility>

namespace eventchain::node {

ShareChecks::ShareChecks(ShareChecksOptions options, HandOn hand_on)
    : options_(std::move(options)),
      hand_on_(std::move(hand_on)),
      queue_(options_.genesis, options_.self, *options_.digest, options_.is_light) {
  queue_.tip_moved(options_.tip);
  if (options_.members) queue_.members(options_.members);
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
    std::unique_lock lock(mutex_);
    std::vector<ShareQueue::Piece> pieces;
    if (const auto look = queue_.look_at(said, bytes)) {
      if (!look->has_room) {
        queue_.drop();
        return std::nullopt;
      }
      lock.unlock();
      pieces = queue_.pieces_of(said.message, *look);
      lock.lock();
    }
    passes = queue_.offer(std::move(said), bytes, std::move(pieces));
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

std::uint64_t ShareChecks::dropped() const {
  const std::lock_guard lock(mutex_);
  return queue_.dropped();
}

void ShareChecks::see(const Effect& effect) {
  const auto in_hand = [this](const std::optional<chain::TemplateHeader>& header, bool is_full) {
    {
      const std::lock_guard lock(mutex_);
      queue_.in_hand(header, is_full);
    }
    came_.notify_all();
  };
  if (const auto* template_in_hand = std::get_if<InHand>(&effect)) {
    in_hand(template_in_hand->header, template_in_hand->is_full);
  } else if (const auto* mine = std::get_if<Mine>(&effect)) {
    in_hand(mine->order.header, false);
  } else if (const auto* tip = std::get_if<TipMoved>(&effect)) {
    const std::lock_guard lock(mutex_);
    queue_.tip_moved(tip->height);
  } else if (const auto* changed = std::get_if<MembersChanged>(&effect)) {
    const std::lock_guard lock(mutex_);
    queue_.members(changed->members);
  } else if (const auto* hang_up = std::get_if<HangUp>(&effect)) {
    const std::lock_guard lock(mutex_);
    queue_.hung_up(hang_up->peer);
  } else if (const auto* sent = std::get_if<Send>(&effect)) {
    const bool asks = std::holds_alternative<net::BlocksRequest>(sent->message) ||
                      std::holds_alternative<net::HeadersRequest>(sent->message);
    bool is_work = false;
    {
      const std::lock_guard lock(mutex_);
      for (const chain::NodeId& peer : sent->to) {
        is_work = queue_.spoke_to(peer) || is_work;
        if (asks) queue_.asked(peer);
      }
    }
    if (is_work) came_.notify_all();
  }
}

void ShareChecks::hand_on_all(std::vector<Input>& ready) {
  for (Input& input : ready) hand_on_(std::move(input));
  ready.clear();
}

bool ShareChecks::meets(const ShareQueue::Piece& piece) const {
  const mining::MemoDigest& digest = *options_.digest;
  const std::vector<chain::Hash> hashes = digest.digests(piece.preimages);
  bool all = true;
  for (std::size_t i = 0; i < hashes.size() && all; ++i) {
    // The miner of this process has found it in the memory of which digests() may have made use.
    const auto again =
        piece.peer == options_.self ? digest.again(piece.preimages[i]) : std::nullopt;
    all = again ? chain::share_value(*again) <= piece.target
                : chain::meets(digest, piece.preimages[i], hashes[i], piece.target);
  }
  return all;
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
      hand_on_all(ready);
    }
    if (!piece) continue;
    const bool is_good = meets(*piece);
    {
      const std::lock_guard lock(mutex_);
      queue_.done(*piece, is_good, ready);
      hand_on_all(ready);
    }
    // What waits behind it may be for another thread.
    came_.notify_one();
  }
}

}  // namespace eventchain::node
