#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "node/api/api.h"

namespace eventchain::node::api {

struct CertificateCommandOptions {
  std::filesystem::path program;  // run as it is, without a shell and without arguments
  std::size_t answer_bytes_max = 64 * 1024;
  std::chrono::milliseconds time_max{10'000};
  std::size_t waiting_max = 16;  // requests behind the one that runs
};

// The operator's certificate authority as a program: a request (PEM) on its standard input, the
// certificate (PEM) on its standard output, EVENTCHAIN_NODE_ID and EVENTCHAIN_NODE_NAME in its
// environment, exit code 0. What it says on standard error goes where the node's own goes. One at a
// time, on a thread of its own; one that says too much or takes too long is killed with all that it
// started.
//
// Lifecycle: stop() or the destructor kills the one that runs and fails those that wait.
class CertificateCommand {
 public:
  using Done = std::function<void(chain::Result<std::string>)>;

  explicit CertificateCommand(CertificateCommandOptions options);
  ~CertificateCommand();
  CertificateCommand(const CertificateCommand&) = delete;
  CertificateCommand& operator=(const CertificateCommand&) = delete;

  // Thread-safe. `done` is called once, on this object's thread, or at once if it cannot be tried.
  void issue(CertificateWanted wanted, Done done);
  void stop();

 private:
  struct Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace eventchain::node::api
