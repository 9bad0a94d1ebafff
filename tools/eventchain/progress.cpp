#include "tools/eventchain/progress.h"

#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

namespace eventchain::tools {

namespace {

constexpr std::chrono::milliseconds kTerminalPause{100};
constexpr std::chrono::seconds kPlainPause{5};
constexpr std::size_t kBarWidth = 24;

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

}  // namespace

Progress::Progress(std::string what, std::string unit, std::uint64_t total)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(total),
      is_terminal_(::isatty(STDERR_FILENO) == 1),
      started_(Clock::now()),
      drawn_(started_) {}

Progress::~Progress() {
  finish();
}

void Progress::update(std::uint64_t done) {
  done_ = done;
  const auto now = Clock::now();
  if (now - drawn_ < (is_terminal_ ? Clock::duration(kTerminalPause) : kPlainPause)) return;
  drawn_ = now;
  draw(now);
}

void Progress::finish() {
  if (std::exchange(finished_, true)) return;
  draw(Clock::now());
  if (is_terminal_) std::fputc('\n', stderr);
}

void Progress::draw(Clock::time_point now) {
  const double seconds = std::chrono::duration<double>(now - started_).count();
  const double rate = seconds > 0 ? static_cast<double>(done_) / seconds : 0;
  std::string line = what_ + ": ";
  if (total_ > 0) {
    const std::uint64_t shown = std::min(done_, total_);
    if (is_terminal_) {
      const std::size_t filled = static_cast<std::size_t>(shown * kBarWidth / total_);
      line += '[' + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "] ";
    }
    line += fmt::format("{:3} % ", shown * 100 / total_);
  }
  line += fmt::format("{} {}, {:.0f}/s", done_, unit_, rate);
  if (finished_)
    line += ", took " + duration_text(seconds);
  else if (total_ > done_ && rate > 0)
    line += ", " + duration_text(static_cast<double>(total_ - done_) / rate) + " left";
  // The blanks clear what a longer line left behind.
  if (is_terminal_)
    fmt::print(stderr, "\r{:<78}", line);
  else
    fmt::print(stderr, "{}\n", line);
  std::fflush(stderr);
}

}  // namespace eventchain::tools
