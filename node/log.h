#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "node/config.h"
#include "node/effects.h"

namespace eventchain::node {

// Lines for operators on standard error: "time level text" or one JSON object a line. Thread-safe.
// Lines that peers or clients can cause are limited per second; how many were left out is said
// when there is room again. Levels: debug, info, warning, error.
class Log {
 public:
  Log(const std::string& level, LogFormat format);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void write(Notice::Level level, std::string_view text);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace eventchain::node
