#include "node/log.h"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace eventchain::node {

namespace {

// An operator reads no more, and a disk full of log lines stops a node.
constexpr std::uint64_t kLinesPerSecondMax = 200;

spdlog::level::level_enum spd_level(Notice::Level level) {
  switch (level) {
    case Notice::Level::kDebug:
      return spdlog::level::debug;
    case Notice::Level::kInfo:
      return spdlog::level::info;
    case Notice::Level::kWarning:
      return spdlog::level::warn;
    case Notice::Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// Nothing that a peer sends may end a line or a JSON string.
std::string escaped(std::string_view text, LogFormat format) {
  std::string result;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (format == LogFormat::kJson && (c == '"' || c == '\\')) {
      result += '\\';
      result += c;
    } else if (octet < 0x20 || octet == 0x7f) {
      result += fmt::format("\\u{:04x}", octet);
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace

struct Log::Parts {
  std::shared_ptr<spdlog::logger> logger;
  LogFormat format;
  std::mutex mutex;
  // guarded by mutex
  std::int64_t second = 0;
  std::uint64_t written = 0;
  std::uint64_t left_out = 0;

  // How many lines were left out before this one; nullopt if this one is left out too.
  std::optional<std::uint64_t> admit() {
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(
                         std::chrono::steady_clock::now().time_since_epoch())
                         .count();
    const std::lock_guard lock(mutex);
    if (now != second) {
      second = now;
      written = 0;
    }
    if (++written > kLinesPerSecondMax) {
      ++left_out;
      return std::nullopt;
    }
    return std::exchange(left_out, 0);
  }
};

Log::Log(const std::string& level, LogFormat format) : parts_(std::make_unique<Parts>()) {
  parts_->logger = std::make_shared<spdlog::logger>(
      "eventchaind", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  parts_->format = format;
  parts_->logger->set_level(spdlog::level::from_str(level));
  parts_->logger->set_pattern(format == LogFormat::kJson
                                  ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","text":"%v"})"
                                  : "%Y-%m-%dT%H:%M:%S.%eZ %l %v",
                              spdlog::pattern_time_type::utc);
  parts_->logger->flush_on(spdlog::level::debug);
}

Log::~Log() = default;

void Log::write(Notice::Level level, std::string_view text) {
  if (!parts_->logger->should_log(spd_level(level))) return;
  const auto left_out = parts_->admit();
  if (!left_out) return;
  if (*left_out > 0)
    parts_->logger->log(spdlog::level::warn, "{} lines left out: more than {} in a second",
                        *left_out, kLinesPerSecondMax);
  parts_->logger->log(spd_level(level), "{}", escaped(text, parts_->format));
}

}  // namespace eventchain::node
