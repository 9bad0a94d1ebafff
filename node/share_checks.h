#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "node/effects.h"
#include "node/share_queue.h"

namespace eventchain::node {

struct ShareChecksOptions {
  chain::Genesis genesis;
  chain::NodeId self;
  std::shared_ptr<const mining::MemoDigest> digest;
  unsigned threads = 2;
  bool is_light = false;
  // As the machine finds them; without: those of genesis.
  chain::Height tip{};
  chain::MembersRef members{};
};

// The threads around a ShareQueue. Owned by the runtime, between the links and the core's inbox.
// Lifecycle: constructed; stop(), which is idempotent. Thread-safe.
class ShareChecks {
 public:
  using HandOn = std::function<void(Input)>;

  // `hand_on`: to the core, from a thread of this one, under its lock: so that after peer_down()
  // nothing comes that the lost link has said. It must not wait, nor call this.
  ShareChecks(ShareChecksOptions options, HandOn hand_on);
  ~ShareChecks();
  ShareChecks(const ShareChecks&) = delete;
  ShareChecks& operator=(const ShareChecks&) = delete;

  // It comes back if it may go to the core at once.
  std::optional<Input> take(PeerSaid said, std::size_t bytes);
  std::optional<Input> take(const MinerFound& found);
  void peer_down(const chain::NodeId& peer);
  // What the core does, as far as it tells what will come.
  void see(const Effect& effect);
  void stop();
  // Messages so far that found their peer's queue full.
  [[nodiscard]] std::uint64_t dropped() const;

 private:
  [[nodiscard]] bool meets(const ShareQueue::Piece& piece) const;
  void run(const std::stop_token& stopping);
  // Under mutex_.
  void hand_on_all(std::vector<Input>& ready);

  // constant after construction
  const ShareChecksOptions options_;
  const HandOn hand_on_;

  mutable std::mutex mutex_;
  std::condition_variable_any came_;
  // guarded by mutex_
  ShareQueue queue_;

  std::vector<std::jthread> threads_;
};

}  // namespace eventchain::node
