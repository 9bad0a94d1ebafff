#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace eventchain::node {

// For the first thread, before there are others: SIGTERM, SIGINT and SIGHUP are blocked in all
// threads and wait for whoever asks, and a peer or client that goes away is no signal at all.
void arrange_signals();

enum class Told : std::uint8_t {
  kEnd,     // SIGTERM or SIGINT
  kReload,  // SIGHUP
};
// Until one of them comes; a thread may send one to the caller's to wake it.
Told wait_for_signal();
// The same for `at_most`; nullopt if none came.
std::optional<Told> wait_for_signal(std::chrono::milliseconds at_most);

}  // namespace eventchain::node
