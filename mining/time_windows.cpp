#include "mining/time_windows.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace eventchain::mining {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

using DaySet = std::array<bool, 7>;

// What stands before the first `separator`; `text` keeps what stands behind it.
std::string_view cut(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view head = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return head;
}

std::optional<std::size_t> parse_day(std::string_view text) {
  const auto found = std::find(kDays.begin(), kDays.end(), text);
  if (found == kDays.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kDays.begin());
}

std::optional<DaySet> parse_days(std::string_view text) {
  DaySet days{};
  if (text == "daily") {
    days.fill(true);
    return days;
  }
  if (text.empty() || text.back() == ',') return std::nullopt;
  while (!text.empty()) {
    std::string_view part = cut(text, ',');
    const bool is_range = part.find('-') != std::string_view::npos;
    const auto first = parse_day(cut(part, '-'));
    const auto last = is_range ? parse_day(part) : first;
    if (!first || !last) return std::nullopt;
    // "Sat-Mon" goes around the end of the week.
    for (std::size_t day = *first;; day = (day + 1) % 7) {
      days[day] = true;
      if (day == *last) break;
    }
  }
  return days;
}

// "HH:MM" as minutes; 24:00 is the end of the day.
std::optional<unsigned> parse_time(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const unsigned i : {0U, 1U, 3U, 4U})
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
  const auto digits = [&](std::size_t at) {
    return static_cast<unsigned>(text[at] - '0') * 10 + static_cast<unsigned>(text[at + 1] - '0');
  };
  const unsigned hour = digits(0);
  const unsigned minute = digits(3);
  if (minute > 59 || hour * 60 + minute > kMinutesPerDay) return std::nullopt;
  return hour * 60 + minute;
}

}  // namespace

chain::Result<void> TimeWindows::add(std::string_view text) {
  if (windows_ == kWindowsMax)
    return chain::fail(chain::ErrorCode::kTooLarge,
                       "more than " + std::to_string(kWindowsMax) + " windows");
  std::string_view rest = text;
  const auto days = parse_days(cut(rest, ' '));
  const auto begin = parse_time(cut(rest, '-'));
  const auto end = parse_time(rest);
  if (!days || !begin || !end || *begin == kMinutesPerDay)
    return chain::fail(
        chain::ErrorCode::kMalformed,
        "'" + std::string(text.substr(0, 64)) +
            "' is no window; write DAYS HH:MM-HH:MM, e.g. \"Mon-Fri 20:00-06:00\", \"Sat,Sun "
            "00:00-24:00\" or \"daily 01:00-05:00\"");
  const unsigned length = *end > *begin ? *end - *begin : *end + kMinutesPerDay - *begin;
  for (unsigned day = 0; day < days->size(); ++day)
    if ((*days)[day]) spans_.push_back({day * kMinutesPerDay + *begin, length});
  ++windows_;
  return {};
}

bool TimeWindows::contains(unsigned minute) const {
  return is_always() || std::any_of(spans_.begin(), spans_.end(), [minute](const Span& span) {
           return (minute + kMinutesPerWeek - span.begin) % kMinutesPerWeek < span.length;
         });
}

}  // namespace eventchain::mining
