#include "tools/bench/commit_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <optional>

namespace eventchain::bench {

namespace {

using Clock = std::chrono::system_clock;

// The value of the first member of this name in a JSON text that nodes wrote.
std::string_view text_of(std::string_view json, std::string_view member) {
  const std::string name = fmt::format("\"{}\":\"", member);
  const std::size_t at = json.find(name);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + name.size();
  return json.substr(begin, json.find('"', begin) - begin);
}

std::optional<std::uint64_t> number_of(std::string_view json, std::string_view member) {
  const std::string_view text = text_of(json, member);
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || read.ec != std::errc()) return std::nullopt;
  return number;
}

// "2025-01-31T12:00:00.000Z"
std::optional<Clock::time_point> time_of(std::string_view json, std::string_view member) {
  const std::string text(text_of(json, member));
  std::tm parts{};
  int milliseconds = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &parts.tm_year, &parts.tm_mon,
                  &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &milliseconds) != 7)
    return std::nullopt;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return Clock::from_time_t(timegm(&parts)) + std::chrono::milliseconds(milliseconds);
}

}  // namespace

CommitWatch::CommitWatch(const std::vector<Address>& nodes, std::chrono::microseconds period)
    : period_(period) {
  for (std::size_t i = 0; i < nodes.size(); ++i)
    threads_.emplace_back([this, i, address = nodes[i]] { watch(i, address); });
}

CommitWatch::~CommitWatch() {
  finish();
}

void CommitWatch::watch(std::size_t node, const Address& address) {
  PlainConnection connection(address);
  std::optional<std::uint64_t> next;
  for (auto due = std::chrono::steady_clock::now(); !stop_; due += period_) {
    std::this_thread::sleep_until(due);
    if (!next) {
      const auto tips = connection.get("/v1/tips");
      const auto tip = tips ? number_of(tips->body, "height") : std::nullopt;
      if (tip) next = *tip + 1;
      continue;
    }
    const auto headers = connection.get(fmt::format("/v1/headers?from={}&limit=1", *next));
    const auto at = Clock::now();
    if (!headers || headers->status != 200) continue;
    const auto sealed = time_of(headers->body, "sealed_at");
    if (!sealed) continue;
    const std::lock_guard lock(mutex_);
    seen_[*next][node] = std::chrono::duration<double, std::milli>(at - *sealed).count();
    ++*next;
  }
}

CommitWatch::Delays CommitWatch::finish() {
  const std::size_t nodes = threads_.size();
  stop_ = true;
  for (auto& thread : threads_)
    if (thread.joinable()) thread.join();
  const std::lock_guard lock(mutex_);
  Delays delays;
  delays.by_node.resize(nodes);
  for (const auto& [height, by_node] : seen_) {
    if (by_node.size() < nodes) continue;
    double last = 0;
    for (const auto& [node, delay] : by_node) {
      delays.by_node[node].push_back(delay);
      last = std::max(last, delay);
    }
    delays.last.push_back(last);
  }
  std::sort(delays.last.begin(), delays.last.end());
  for (auto& of_node : delays.by_node) std::sort(of_node.begin(), of_node.end());
  return delays;
}

}  // namespace eventchain::bench
