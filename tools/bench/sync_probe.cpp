#include "tools/bench/sync_probe.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

namespace eventchain::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kDuration{1};
constexpr off_t kWriteBytes = 8 * 1024;
// Written round and round, as a log is: a file that grows costs more.
constexpr off_t kFileBytes = 4 * 1024 * 1024;

// Milliseconds of each write and sync; empty if the file cannot be written.
std::vector<double> write_and_sync(const std::filesystem::path& file) {
  std::vector<double> times;
  const int descriptor = open(file.c_str(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor < 0) return times;
  std::array<char, kWriteBytes> octets{};
  bool is_ok = true;
  for (off_t at = 0; is_ok && at < kFileBytes; at += kWriteBytes)
    is_ok = pwrite(descriptor, octets.data(), octets.size(), at) == kWriteBytes;
  is_ok = is_ok && fdatasync(descriptor) == 0;
  const auto end = Clock::now() + kDuration;
  for (off_t at = 0; is_ok && Clock::now() < end; at = (at + kWriteBytes) % kFileBytes) {
    const auto began = Clock::now();
    is_ok = pwrite(descriptor, octets.data(), octets.size(), at) == kWriteBytes &&
            fdatasync(descriptor) == 0;
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - began).count());
  }
  close(descriptor);
  if (!is_ok) times.clear();
  return times;
}

}  // namespace

std::optional<double> sync_milliseconds(const std::vector<std::filesystem::path>& directories) {
  std::vector<std::vector<double>> times(directories.size());
  std::vector<std::thread> writers;
  writers.reserve(directories.size());
  for (std::size_t i = 0; i < directories.size(); ++i)
    writers.emplace_back([&times, &directories, i] {
      const auto file = directories[i] / "sync-probe.tmp";
      times[i] = write_and_sync(file);
      std::error_code ignored;
      std::filesystem::remove(file, ignored);
    });
  for (std::thread& writer : writers) writer.join();
  std::vector<double> all;
  for (const auto& of_one : times) {
    if (of_one.empty()) return std::nullopt;
    all.insert(all.end(), of_one.begin(), of_one.end());
  }
  if (all.empty()) return std::nullopt;
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2),
                   all.end());
  return all[all.size() / 2];
}

}  // namespace eventchain::bench
