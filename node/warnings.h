#pragma once

#include <string>
#include <vector>

#include "node/node_report.h"

namespace eventchain::node {

enum class Severity : std::uint8_t {
  kNotice,    // nothing is wrong, but it explains what one sees
  kWarning,   // will go wrong, or costs something now
  kCritical,  // somebody has to act
};
const char* to_string(Severity severity);

// What an operator has to know of a node, and what to do about it.
struct Warning {
  std::string code;  // never changes; README.md of node/api lists them
  Severity severity = Severity::kWarning;
  std::string text;
  std::string remedy;
  std::string about = {};  // the peer or certificate that it is about; empty: the node as a whole
};

namespace warning_limits {
inline constexpr std::uint64_t kBlocksBehind = 5;
// Links between voters are made anew within two seconds; frozen hosts are noticed after ten.
inline constexpr std::chrono::milliseconds kUnlinked{5'000};
inline constexpr std::chrono::milliseconds kClockApart{1'000};
// Without a block a leader eases the target after 4 intervals, and by a factor of 65,536 within 10.
inline constexpr int kStalledIntervals = 10;
// At least so long: an event may wait half of it for the version that it expects.
inline constexpr std::chrono::milliseconds kStalledLeast{60'000};
inline constexpr std::chrono::hours kCertificateSoon{30 * 24};
inline constexpr std::chrono::hours kCertificateNow{7 * 24};
}  // namespace warning_limits

// The most severe first, then in the order in which they are looked for. Pure.
std::vector<Warning> find_warnings(const NodeReport& report);

}  // namespace eventchain::node
