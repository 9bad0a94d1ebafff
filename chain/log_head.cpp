#include "chain/log_head.h"

#include <charconv>

#include "chain/base64.h"

namespace eventchain::chain {

Result<LogHead> take_log_head(std::string_view& text) {
  const auto origin = take_line(text);
  const auto size_line = take_line(text);
  const auto root_line = take_line(text);
  if (!origin || !size_line || !root_line || origin->empty())
    return fail(ErrorCode::kMalformed,
                "a checkpoint begins with three lines: origin, size and root of the log");
  const auto size = parse_decimal(*size_line);
  if (!size)
    return fail(ErrorCode::kMalformed,
                "the checkpoint's second line must be the log's size, a decimal number");
  const auto octets = from_base64(*root_line);
  const auto root = octets ? Hash::from(*octets) : std::nullopt;
  if (!root)
    return fail(ErrorCode::kMalformed,
                "the checkpoint's third line must be the log's root, 32 octets in base64");
  return LogHead{std::string(*origin), *size, *root};
}

std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [behind, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || behind != end || std::to_string(value) != text) return std::nullopt;
  return value;
}

}  // namespace eventchain::chain
