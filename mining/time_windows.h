#pragma once

#include <string_view>
#include <vector>

#include "chain/result.h"

namespace eventchain::mining {

inline constexpr unsigned kMinutesPerDay = 24 * 60;
inline constexpr unsigned kMinutesPerWeek = 7 * kMinutesPerDay;

// When a host lends: parts of the week by its local clock. Without any, always.
class TimeWindows {
 public:
  static constexpr std::size_t kWindowsMax = 32;

  // Adds "DAYS HH:MM-HH:MM". DAYS is "daily" or a list such as "Mon-Fri,Sun". A window whose end is
  // not after its begin reaches into the next day. The error says what is wrong with the text.
  chain::Result<void> add(std::string_view text);

  // `minute` counts from Monday 00:00.
  [[nodiscard]] bool contains(unsigned minute) const;
  [[nodiscard]] bool is_always() const { return spans_.empty(); }

  bool operator==(const TimeWindows&) const = default;

 private:
  struct Span {
    unsigned begin = 0;   // minute of the week
    unsigned length = 0;  // minutes; may reach into the next week
    bool operator==(const Span&) const = default;
  };
  std::vector<Span> spans_;
  std::size_t windows_ = 0;
};

}  // namespace eventchain::mining
