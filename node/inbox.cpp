#include "node/inbox.h"

#include <algorithm>
#include <iterator>

namespace eventchain::node {

namespace {

const Input* input_of(const Inbox::Item& item) {
  return std::get_if<Input>(&item);
}

// Whose queue it belongs to: of a peer's inputs none may overtake another.
std::optional<chain::NodeId> source_of(const Inbox::Item& item) {
  const Input* input = input_of(item);
  if (input == nullptr) return std::nullopt;
  if (const auto* up = std::get_if<PeerUp>(input)) return up->peer;
  if (const auto* down = std::get_if<PeerDown>(input)) return down->peer;
  if (const auto* refused = std::get_if<PeerRefused>(input)) return refused->peer;
  if (const auto* said = std::get_if<PeerSaid>(input)) return said->peer;
  return std::nullopt;
}

bool asks_for_much(const net::Message& message) {
  return std::holds_alternative<net::EventsRequest>(message) ||
         std::holds_alternative<net::BlocksRequest>(message) ||
         std::holds_alternative<net::HeadersRequest>(message) ||
         std::holds_alternative<net::TemplateRequest>(message);
}

}  // namespace

void Inbox::push(Queue& queue, Waiting waiting) {
  queue.bytes += waiting.bytes;
  peer_bytes_ += waiting.bytes;
  queue.items.push_back(std::move(waiting));
  ++items_;
}

void Inbox::drop(Queue& queue, const std::function<bool(const PeerSaid&)>& is_lost) {
  const std::size_t before = queue.items.size();
  std::erase_if(queue.items, [&](const Waiting& waiting) {
    const Input* input = input_of(waiting.item);
    const auto* said = input != nullptr ? std::get_if<PeerSaid>(input) : nullptr;
    if (said == nullptr || !is_lost(*said)) return false;
    queue.bytes -= waiting.bytes;
    peer_bytes_ -= waiting.bytes;
    return true;
  });
  items_ -= before - queue.items.size();
}

void Inbox::link_changed(Queue& queue, bool is_down) {
  queue.is_down = is_down;
  queue.is_refused = false;
  if (is_down) drop(queue, [](const PeerSaid& said) { return asks_for_much(said.message); });
}

void Inbox::post(Item item) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    Queue& queue = queues_[source_of(item)];
    if (const Input* input = input_of(item)) {
      if (std::holds_alternative<PeerUp>(*input)) link_changed(queue, false);
      if (std::holds_alternative<PeerDown>(*input)) link_changed(queue, true);
    }
    push(queue, {std::move(item), 0});
  }
  arrived_.notify_one();
}

std::optional<chain::NodeId> Inbox::make_room() {
  const auto most = std::ranges::max_element(
      queues_, {}, [](const Queues::value_type& one) { return one.second.bytes; });
  Queue& queue = most->second;
  drop(queue, [](const PeerSaid&) { return true; });
  if (queue.is_down) return std::nullopt;
  queue.is_refused = true;
  return most->first;
}

std::optional<chain::NodeId> Inbox::post_said(PeerSaid said, std::size_t bytes) {
  std::optional<chain::NodeId> hang_up;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return std::nullopt;
    const chain::NodeId peer = said.peer;
    Queue& queue = queues_[peer];
    if (queue.is_refused) return std::nullopt;
    if (queue.bytes >= limits_.share_bytes) {
      queue.is_refused = true;
      return peer;
    }
    push(queue, {Input{std::move(said)}, bytes});
    if (peer_bytes_ > limits_.peer_bytes_max) hang_up = make_room();
  }
  arrived_.notify_one();
  return hang_up;
}

void Inbox::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    queues_.clear();
    items_ = 0;
  }
  arrived_.notify_all();
}

std::optional<std::vector<Inbox::Item>> Inbox::take(std::chrono::steady_clock::time_point until,
                                                    std::size_t items_max) {
  std::unique_lock lock(mutex_);
  arrived_.wait_until(lock, until, [this] { return closed_ || items_ != 0; });
  if (closed_) return std::nullopt;
  std::vector<Item> taken;
  taken.reserve(std::min(items_max, items_));
  auto at = served_last_ ? queues_.upper_bound(*served_last_) : queues_.begin();
  while (taken.size() < items_max && items_ != 0) {
    if (at == queues_.end()) at = queues_.begin();
    Queue& queue = at->second;
    if (!queue.items.empty()) {
      Waiting& first = queue.items.front();
      queue.bytes -= first.bytes;
      peer_bytes_ -= first.bytes;
      --items_;
      taken.push_back(std::move(first.item));
      queue.items.pop_front();
      served_last_ = at->first;
    }
    // A refusal is remembered until the link is down.
    at = queue.items.empty() && !queue.is_refused ? queues_.erase(at) : std::next(at);
  }
  return taken;
}

}  // namespace eventchain::node
