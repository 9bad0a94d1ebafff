#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "node/port.h"
#include "node/status.h"

namespace eventchain::node {

// The service manager that started this process (systemd with Type=notify), as sd_notify(3) has it:
// a datagram of lines to the socket in NOTIFY_SOCKET. Without one everything is silently in order.
//
// Not by libsystemd: its manual shows these lines for programs that want no more of it, and it
// would bring four other libraries into a process that holds keys.
class ServiceManager {
 public:
  ServiceManager() = default;  // there is none
  // Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and takes them out of the environment, so
  // that no child speaks for this process. Before there are other threads.
  static ServiceManager from_environment();

  [[nodiscard]] bool is_there() const { return !socket_.empty(); }
  // How long it waits for a sign of life before it ends the process; nullopt: for ever.
  [[nodiscard]] std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }

  // "KEY=VALUE" lines. False if it could not take them now; never blocks. Any thread.
  [[nodiscard]] bool tell(std::string_view lines) const;

 private:
  std::string socket_;  // a path, or a name after '@'
  std::optional<std::chrono::microseconds> watchdog_;
};

// What is told of a node while it runs. It is ready once it has been seen to have everything: a
// leader is known and linked, and it has applied all that this one had committed (a light member:
// the highest block it has heard of).
class ServiceReport {
 public:
  explicit ServiceReport(std::optional<std::chrono::microseconds> watchdog);

  // How often to look.
  [[nodiscard]] std::chrono::milliseconds every() const;
  // The lines for `status`, which the core has just given: that is the sign of life. `age`: see
  // NodePort::age(). Until is_ready() they ask for more time to start.
  [[nodiscard]] std::string lines(const NodeStatus& status,
                                  std::optional<std::chrono::milliseconds> age);
  [[nodiscard]] bool is_ready() const { return is_ready_; }

 private:
  std::optional<std::chrono::microseconds> watchdog_;
  bool is_ready_ = false;
};

// Asks a node and tells the manager. What keeps the watchdog quiet is that the core's thread
// answers, not that the caller's runs. Of one thread; manager and node outlive it.
class ServiceTalk {
 public:
  ServiceTalk(const ServiceManager& manager, NodePort& node);

  // Tells what was answered since the last step, and asks anew.
  void step();
  // How long until the next one; long where there is no manager.
  [[nodiscard]] std::chrono::milliseconds every() const;

 private:
  struct Heard;
  const ServiceManager& manager_;
  NodePort& node_;
  ServiceReport report_;
  std::shared_ptr<Heard> heard_;  // shared with the question that is under way
  bool has_asked_ = false;
};

}  // namespace eventchain::node
