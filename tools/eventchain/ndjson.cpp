#include "tools/eventchain/ndjson.h"

#include <filesystem>
#include <iostream>
#include <utility>

#include <fmt/format.h>

namespace eventchain::tools {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

BatchReader::BatchReader(std::vector<std::string> files, BatchLimits limits)
    : files_(std::move(files)), limits_(limits) {
  if (files_.empty()) files_.emplace_back("-");
}

Result<bool> BatchReader::open_next() {
  if (next_file_ == files_.size()) return false;
  name_ = files_[next_file_++];
  line_ = 0;
  if (name_ == "-") {
    name_ = "standard input";
    in_ = &std::cin;
    return true;
  }
  file_ = std::ifstream(name_, std::ios::binary);
  if (!file_) return fail(ErrorCode::kNotFound, "cannot read " + name_);
  in_ = &file_;
  return true;
}

Result<std::optional<std::string>> BatchReader::next_line() {
  std::string line;
  for (;;) {
    if (in_ == nullptr) {
      const Result<bool> opened = open_next();
      if (!opened) return tl::unexpected<chain::Error>(opened.error());
      if (!*opened) return std::optional<std::string>();
    }
    if (!std::getline(*in_, line)) {
      if (in_->bad()) return fail(ErrorCode::kIo, "cannot read on in " + name_);
      in_ = nullptr;
      continue;
    }
    ++line_;
    if (line.size() > BatchLimits::kLineBytesMax)
      return fail(ErrorCode::kTooLarge,
                  fmt::format("{}:{}: the line is longer than {} octets; is it one event a line?",
                              name_, line_, BatchLimits::kLineBytesMax));
    if (line.find_first_not_of(" \t\r") != std::string::npos)
      return std::optional<std::string>(std::move(line));
  }
}

Result<std::optional<EventBatch>> BatchReader::next() {
  EventBatch batch;
  const auto add = [&batch](std::string line, std::string origin) {
    batch.bytes += line.size() + 1;
    batch.lines.push_back(std::move(line));
    batch.origins.push_back(std::move(origin));
  };
  if (!kept_.empty()) add(std::exchange(kept_, {}), std::exchange(kept_origin_, {}));
  while (batch.lines.size() < limits_.events) {
    Result<std::optional<std::string>> line = next_line();
    if (!line) return tl::unexpected<chain::Error>(line.error());
    if (!*line) break;
    std::string origin = fmt::format("{}:{}", name_, line_);
    if (!batch.lines.empty() && batch.bytes + (*line)->size() > limits_.bytes) {
      kept_ = std::move(**line);
      kept_origin_ = std::move(origin);
      break;
    }
    add(std::move(**line), std::move(origin));
  }
  if (batch.lines.empty()) return std::optional<EventBatch>();
  return std::optional<EventBatch>(std::move(batch));
}

std::uint64_t count_events(const std::vector<std::string>& files) {
  std::uint64_t events = 0;
  for (const std::string& name : files) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(name, error)) return 0;
    std::ifstream file(name, std::ios::binary);
    for (std::string line; std::getline(file, line);)
      if (line.find_first_not_of(" \t\r") != std::string::npos) ++events;
  }
  return events;
}

std::string batch_body(const EventBatch& batch) {
  std::string body;
  body.reserve(batch.bytes + 2);
  for (const std::string& line : batch.lines) {
    body += body.empty() ? '[' : ',';
    body += line;
  }
  return body + ']';
}

}  // namespace eventchain::tools
