#pragma once

#include <cstdint>
#include <fstream>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "chain/result.h"

namespace eventchain::tools {

// Lines that are sent together, and where they came from.
struct EventBatch {
  std::vector<std::string> lines;    // one CloudEvent in JSON each
  std::vector<std::string> origins;  // "file:line" of each
  std::size_t bytes = 0;
};

struct BatchLimits {
  std::size_t events = 100;
  std::size_t bytes = std::size_t{8} * 1024 * 1024;
  static constexpr std::size_t kLineBytesMax = std::size_t{4} * 1024 * 1024;
};

// Reads newline-delimited JSON from files, one after the other ("-" is standard input), and cuts
// it into batches. Empty lines are skipped. What the JSON says is the node's to judge. One thread.
class BatchReader {
 public:
  // No files: standard input.
  BatchReader(std::vector<std::string> files, BatchLimits limits);

  // nullopt at the end of the last file.
  chain::Result<std::optional<EventBatch>> next();

 private:
  chain::Result<bool> open_next();  // false when there is none left
  chain::Result<std::optional<std::string>> next_line();

  std::vector<std::string> files_;
  BatchLimits limits_;
  std::size_t next_file_ = 0;
  std::ifstream file_;
  std::istream* in_ = nullptr;
  std::string name_;
  std::uint64_t line_ = 0;
  std::string kept_;  // a line that did not fit the batch before
  std::string kept_origin_;
};

// How many events the files hold; 0 when one of them cannot be read twice (a pipe).
std::uint64_t count_events(const std::vector<std::string>& files);

// The batch as a JSON array.
std::string batch_body(const EventBatch& batch);

}  // namespace eventchain::tools
