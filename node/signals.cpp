#include "node/signals.h"

#include <csignal>

namespace eventchain::node {

namespace {

sigset_t awaited_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  return signals;
}

}  // namespace

void arrange_signals() {
  const sigset_t signals = awaited_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

Told wait_for_signal() {
  const sigset_t signals = awaited_signals();
  int signal = 0;
  sigwait(&signals, &signal);
  return signal == SIGHUP ? Told::kReload : Told::kEnd;
}

std::optional<Told> wait_for_signal(std::chrono::milliseconds at_most) {
  const sigset_t signals = awaited_signals();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at_most);
  const timespec wait{seconds.count(), std::chrono::nanoseconds(at_most - seconds).count()};
  const int signal = sigtimedwait(&signals, nullptr, &wait);
  if (signal < 0) return std::nullopt;
  return signal == SIGHUP ? Told::kReload : Told::kEnd;
}

}  // namespace eventchain::node
