#include "tools/eventchain/checkpoint_file.h"

#include <fmt/format.h>

#include <charconv>

#include "chain/base64.h"
#include "chain/text.h"
#include "tools/eventchain/files.h"

namespace eventchain::tools {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

constexpr std::size_t kFileBytesMax = 1024 * 1024;
constexpr std::size_t kOriginBytesMax = 1024;

// The next line, without its end; nullopt where no whole one follows.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t size = 0;
  const char* const end = text.data() + text.size();
  const auto [behind, error] = std::from_chars(text.data(), end, size);
  if (error != std::errc() || behind != end || std::to_string(size) != text) return std::nullopt;
  return size;
}

}  // namespace

Result<chain::KnownLog> parse_checkpoint(std::string_view text) {
  const auto origin = take_line(text);
  const auto size_line = take_line(text);
  const auto root_line = take_line(text);
  if (!origin || !size_line || !root_line)
    return fail(ErrorCode::kMalformed,
                "a checkpoint begins with three lines: origin, size and root of the log");
  if (origin->empty() || origin->size() > kOriginBytesMax ||
      chain::find_text_fault(*origin) != chain::TextFault::kNone)
    return fail(ErrorCode::kMalformed, "the checkpoint's first line is no name of a log");
  const auto size = parse_size(*size_line);
  if (!size)
    return fail(ErrorCode::kMalformed,
                "the checkpoint's second line must be the log's size, a decimal number");
  const auto octets = chain::from_base64(*root_line);
  const auto root = octets ? chain::Hash::from(*octets) : std::nullopt;
  if (!root)
    return fail(ErrorCode::kMalformed,
                "the checkpoint's third line must be the log's root, 32 octets in base64");
  return chain::KnownLog{std::string(*origin), *size, *root, std::nullopt};
}

Result<chain::KnownLog> read_checkpoint_file(const std::filesystem::path& file) {
  const auto text = read_file(file, kFileBytesMax);
  if (!text) return tl::unexpected<chain::Error>(text.error());
  auto known = parse_checkpoint(*text);
  if (!known)
    return fail(known.error().code,
                fmt::format("{} (in {})", known.error().message, file.string()));
  return known;
}

}  // namespace eventchain::tools
