#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "consensus/log_store.h"

namespace eventchain::consensus {

// A LogStore in memory for tests and the simulator, with the turns of the real one: writes are
// visible at once and durable at commit(); rollback() is the crash that loses the open turn. The
// owner opens and ends turns; a write outside of one is a bug. `writes()` counts durable turns that
// changed something.
class MemoryLogStore final : public LogStore {
 public:
  void begin();
  void commit();
  void rollback();

  Loaded load() override;
  void save_hard_state(const HardState& state) override;
  void append(LogIndex from, const std::vector<Entry>& entries) override;
  std::vector<Entry> entries(LogIndex from, LogIndex to) override;
  void save_snapshot(const Snapshot& snapshot, std::uint64_t keep_trailing) override;
  std::optional<Snapshot> snapshot() override;

  [[nodiscard]] LogIndex first_index() const { return state_.first; }
  [[nodiscard]] LogIndex last_index() const;
  [[nodiscard]] std::uint64_t writes() const { return writes_; }

 private:
  // Values are shared between the open turn and the state before it, so beginning a turn costs
  // pointers, not payloads.
  struct State {
    HardState hard_state;
    std::shared_ptr<const Snapshot> snapshot;
    LogIndex first{1};
    std::vector<std::shared_ptr<const Entry>> entries;
  };

  State& writable();

  State state_;
  std::optional<State> before_;  // set by the first write of a turn
  bool is_open_ = false;
  std::uint64_t writes_ = 0;
};

}  // namespace eventchain::consensus
