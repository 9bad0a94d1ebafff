#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "chain/result.h"

namespace eventchain::node::api {

struct ChildProcess {
  std::filesystem::path program;         // without arguments
  std::vector<std::string> environment;  // "NAME=VALUE", beside this process's own
  std::string input;
  std::size_t output_max = 0;
  std::chrono::milliseconds time_max{0};
  int stop = -1;  // a descriptor that becomes readable when it is to be given up
};

// Runs it to its end and returns its standard output; anything but exit code 0 is an error. It and
// what it started are killed when it is over, one way or the other. The calling thread blocks and
// must not be killed by SIGPIPE.
chain::Result<std::string> run_child(const ChildProcess& child);

}  // namespace eventchain::node::api
