#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "chain/types.h"
#include "node/inputs.h"
#include "node/status.h"

namespace eventchain::node {

using StatusQuestion = std::function<void(NodeStatus)>;

// What waits for the core thread. Any thread posts; the core thread takes all that fits one turn,
// which is what makes group commit: whatever arrived while one turn was written goes into the next.
//
// A queue for each peer and one for this node's own (clients, miner, operators), served in turns,
// one item each: however much one peer has sent, a heartbeat of another waits for what that other
// sent before it, and for one item of each queue per place in it. Within a queue items stay in
// order.
//
// Bounds: what one peer has waiting exceeds its share by one message at most, and all peers
// together stay within peer_bytes_max. Whoever exceeds one of them is to be hung up on: a peer that
// is over its share, or the one that has the most waiting when there is no room for all. Of a link
// that is hung up on nothing more is queued, as if it had been lost then. Clients are bounded by
// the API, and links that come and go by the rate at which a peer may open them (net/peer_book.h).
// What asks for an answer and waits when its link goes down is dropped: nobody hears the answer.
//
// Thread-safe.
class Inbox {
 public:
  using Item = std::variant<Input, StatusQuestion>;

  struct Limits {
    std::size_t peer_bytes_max = 0;  // of all peers together
    // Of one of them. A message may be larger: it is taken where less than this waits.
    std::size_t share_bytes = 0;
  };
  explicit Inbox(Limits limits) : limits_(limits) {}

  // Not for what peers say.
  void post(Item item);
  // `bytes`: net::held_bytes(). Who is to be hung up on, because this message had no room, or has
  // taken the room of theirs; mostly nobody.
  std::optional<chain::NodeId> post_said(PeerSaid said, std::size_t bytes);
  void close();  // take() returns nullopt from now on

  // Waits until something is there or `until` on the monotonic clock has come (then maybe empty).
  // nullopt once closed. Takes at most `items_max` items.
  std::optional<std::vector<Item>> take(std::chrono::steady_clock::time_point until,
                                        std::size_t items_max);

 private:
  struct Waiting {
    Item item;
    std::size_t bytes = 0;  // of what a peer said
  };
  struct Queue {
    std::deque<Waiting> items;
    std::size_t bytes = 0;
    bool is_down = false;     // its link; what waits was said before
    bool is_refused = false;  // hung up on: until its link is down
  };
  using Queues = std::map<std::optional<chain::NodeId>, Queue>;  // of nobody: this node's own

  // All under mutex_.
  void push(Queue& queue, Waiting waiting);
  void link_changed(Queue& queue, bool is_down);
  // Whoever has the most waiting loses it.
  std::optional<chain::NodeId> make_room();
  void drop(Queue& queue, const std::function<bool(const PeerSaid&)>& is_lost);

  const Limits limits_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  // guarded by mutex_
  Queues queues_;
  std::optional<std::optional<chain::NodeId>> served_last_;
  std::size_t items_ = 0;
  std::size_t peer_bytes_ = 0;
  bool closed_ = false;
};

}  // namespace eventchain::node
