#include "node/witnessing/cluster_word.h"

#include <condition_variable>
#include <mutex>
#include <optional>

namespace eventchain::node {

// Shared with the callbacks, which may outlive who waits.
struct ClusterWord::State {
  std::mutex mutex;
  std::condition_variable moved;
  bool is_stopping = false;  // guarded by mutex, as what every caller waits for is
};

ClusterWord::ClusterWord() : state_(std::make_shared<State>()) {}

bool ClusterWord::has_said(NodePort& port, std::chrono::milliseconds timeout) {
  const auto said = std::make_shared<std::optional<bool>>();
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->is_stopping) return false;
  }
  port.ask_read(timeout, [said, state = state_](bool is_there) {
    const std::lock_guard lock(state->mutex);
    *said = is_there;
    state->moved.notify_all();
  });
  std::unique_lock lock(state_->mutex);
  state_->moved.wait(lock, [&] { return state_->is_stopping || said->has_value(); });
  return said->value_or(false);
}

void ClusterWord::stop() {
  const std::lock_guard lock(state_->mutex);
  state_->is_stopping = true;
  state_->moved.notify_all();
}

}  // namespace eventchain::node
