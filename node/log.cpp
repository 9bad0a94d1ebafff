#include "node/log.h"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "chain/text.h"
#include "node/line_budget.h"

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

// Nothing that a peer sends may end a line or a JSON string, or make the line something other than
// JSON: octets that are no UTF-8 become the characters of their numbers.
std::string escaped(std::string_view text, LogFormat format) {
  const bool is_json = format == LogFormat::kJson;
  const bool is_foreign = is_json && !chain::is_utf8(text);
  std::string result;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (is_json && (c == '"' || c == '\\')) {
      result += '\\';
      result += c;
    } else if (octet < 0x20 || octet == 0x7f || (octet >= 0x80 && is_foreign)) {
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
  LineBudget budget{kLinesPerSecondMax};

  std::optional<std::uint64_t> admit() {
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(
                         std::chrono::steady_clock::now().time_since_epoch())
                         .count();
    const std::lock_guard lock(mutex);
    return budget.admit(now);
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
