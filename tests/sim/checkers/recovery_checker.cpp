#include "tests/sim/checkers/recovery_checker.h"

namespace eventchain::sim {

namespace {
constexpr std::size_t kRequestEventsMax = 32;  // of the workload
}  // namespace

RecoveryChecker::Kept RecoveryChecker::of(const NodeHost& host, const std::optional<Kept>& known) {
  const chain::ChainState& state = host.core().chain_state();
  Kept kept;
  kept.tip = state.tip;
  kept.log_size = state.log.size();
  const bool is_same_tip = known && known->tip == state.tip;
  kept.log_root = is_same_tip ? known->log_root : state.log.root();
  kept.history_root = is_same_tip ? known->history_root : state.history.root();
  kept.applied = host.core().replica().applied_index();
  kept.pool_events = host.core().pool().size();
  kept.pool_bytes = host.core().pool().bytes();
  return kept;
}

void RecoveryChecker::committed(NodeHost& host) {
  auto& kept = kept_[host.index()];
  const bool is_new_tip = !kept || kept->tip != host.core().chain_state().tip;
  kept = of(host, kept);
  if (is_new_tip) compare_keys(host);
  const chain::PendingPool& pool = host.core().pool();
  // Each node takes in no more than its own pool holds and one request over it; all of that may
  // have to be kept here too.
  const std::size_t nodes = kept_.size();
  const std::size_t event_bytes_max = host.core_options().genesis.event_bytes_max;
  if (pool.size() > nodes * (pool.limits().events_max + kRequestEventsMax) ||
      pool.bytes() > nodes * (pool.limits().bytes_max + kRequestEventsMax * event_bytes_max))
    throw Violation("I14", fmt::format("the pool of n{} holds {} events of {} octets", host.index(),
                                       pool.size(), pool.bytes()));
}

void RecoveryChecker::compare_keys(NodeHost& host) {
  for (const chain::PendingEvent& pending : host.core().pool().in_order()) {
    if (pending.is_key_taken == host.store().chain().is_placed(pending.facts.key)) continue;
    throw Violation("pool",
                    fmt::format("n{} has pending event {}, and its key is {}taken", host.index(),
                                to_hex(pending.facts.key), pending.is_key_taken ? "not " : ""));
  }
}

void RecoveryChecker::recovered(const NodeHost& host) {
  const auto& kept = kept_[host.index()];
  if (!kept) return;
  const Kept found = of(host, std::nullopt);
  if (found == *kept) return;
  throw Violation("I12",
                  fmt::format("n{} comes back with log size {}, applied {}, {} pending; it "
                              "had {}, {}, {}",
                              host.index(), found.log_size, found.applied.value, found.pool_events,
                              kept->log_size, kept->applied.value, kept->pool_events));
}

}  // namespace eventchain::sim
