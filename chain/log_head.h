#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "chain/result.h"
#include "chain/types.h"

// The lines that every checkpoint begins with (C2SP tlog-checkpoint), whosever log it is of. Pure.
namespace eventchain::chain {

// The head of a log: which one, how many entries, and the root of their tree.
struct LogHead {
  std::string origin;
  std::uint64_t size = 0;
  Hash root;
  bool operator==(const LogHead&) const = default;
};

// Takes the three lines of a head from the beginning of a text; what follows stays.
Result<LogHead> take_log_head(std::string_view& text);

// The next line, without its end; nullopt where no whole one follows.
std::optional<std::string_view> take_line(std::string_view& text);

// Digits alone, without leading zeros.
std::optional<std::uint64_t> parse_decimal(std::string_view text);

}  // namespace eventchain::chain
