#include "chain/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace eventchain::chain {

namespace {

constexpr char32_t kBadSequence = 0xffffffff;

// The code point at `at`, which moves behind it; kBadSequence unless it is in its shortest form.
char32_t next_code_point(ByteView text, std::size_t& at) {
  const auto first = static_cast<std::uint8_t>(text[at++]);
  if (first < 0x80) return first;
  // Lead octets 0x80..0xc1 are continuations or would be overlong, 0xf5.. would be too great.
  if (first < 0xc2 || first > 0xf4) return kBadSequence;
  const std::size_t more = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
  if (text.size() - at < more) return kBadSequence;
  char32_t point = first & (0x3fU >> more);
  for (std::size_t i = 0; i < more; ++i) {
    const auto octet = static_cast<std::uint8_t>(text[at++]);
    if ((octet & 0xc0) != 0x80) return kBadSequence;
    point = (point << 6) | (octet & 0x3fU);
  }
  const bool is_overlong = (more == 2 && point < 0x800) || (more == 3 && point < 0x10000);
  const bool is_surrogate = point >= 0xd800 && point <= 0xdfff;
  return is_overlong || is_surrogate || point > 0x10ffff ? kBadSequence : point;
}

constexpr std::uint64_t kHighBits = 0x8080808080808080;

// Eight octets of which each is ASCII. A lambda, as the next, because it is inlined where it is
// handed in.
constexpr auto is_ascii = [](std::uint64_t eight) { return (eight & kHighBits) == 0; };

// Eight octets of which each is in 0x20..0x7e. Subtracting borrows into an octet's high bit if it
// is less than 0x20, adding carries into it if it is 0x7f.
constexpr auto is_printable = [](std::uint64_t eight) {
  return is_ascii(eight | (eight - 0x2020202020202020) | (eight + 0x0101010101010101));
};

// How many octets at the start are as `is_good` wants them, eight at a time: nearly all texts are
// to their ends. May be a few less than there are, never more.
template <class IsGood>
std::size_t skip_good(ByteView text, IsGood is_good) {
  constexpr std::size_t kStep = sizeof(std::uint64_t);
  std::size_t at = 0;
  for (; text.size() - at >= kStep; at += kStep)
    if (!is_good(load_little_endian<std::uint64_t>(text.data() + at))) return at;
  // The last few, together with some that were seen.
  if (at > 0 && is_good(load_little_endian<std::uint64_t>(text.data() + text.size() - kStep)))
    return text.size();
  return at;
}

bool is_forbidden(char32_t point) {
  if (point < 0x20 || (point >= 0x7f && point <= 0x9f)) return true;
  return (point >= 0xfdd0 && point <= 0xfdef) || (point & 0xfffe) == 0xfffe;
}

// Cut off the start of `text` if that has the shape: a 0 stands for any digit, a T for either case.
bool take_shape(ByteView& text, ByteView shape) {
  if (text.size() < shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const char c = text[i];
    const bool fits = shape[i] == '0'   ? c >= '0' && c <= '9'
                      : shape[i] == 'T' ? c == 'T' || c == 't'
                                        : c == shape[i];
    if (!fits) return false;
  }
  text.remove_prefix(shape.size());
  return true;
}

// Pre: digits.
int number_of(ByteView digits) {
  int number = 0;
  for (char c : digits) number = number * 10 + (c - '0');
  return number;
}

bool is_in(int number, int low, int high) {
  return number >= low && number <= high;
}

int days_in_month(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && is_leap ? 29 : kDays[month - 1];
}

// Pre: the shape 0000-00-00.
bool is_date(ByteView text) {
  const int year = number_of(text.substr(0, 4));
  const int month = number_of(text.substr(5, 2));
  return is_in(month, 1, 12) && is_in(number_of(text.substr(8, 2)), 1, days_in_month(year, month));
}

// Pre: the shape 00:00.
bool is_hour_and_minute(ByteView text) {
  return is_in(number_of(text.substr(0, 2)), 0, 23) && is_in(number_of(text.substr(3, 2)), 0, 59);
}

bool is_offset(ByteView text) {
  if (text == "Z" || text == "z") return true;
  const ByteView hour_and_minute = text.substr(std::min<std::size_t>(text.size(), 1));
  return (take_shape(text, "+00:00") || take_shape(text, "-00:00")) && text.empty() &&
         is_hour_and_minute(hour_and_minute);
}

}  // namespace

TextFault find_text_fault(ByteView text) {
  for (std::size_t at = skip_good(text, is_printable); at < text.size();) {
    if (text[at] >= 0x20 && text[at] < 0x7f) {
      ++at;
      continue;
    }
    const char32_t point = next_code_point(text, at);
    if (point == kBadSequence) return TextFault::kNotUtf8;
    if (is_forbidden(point)) return TextFault::kForbidden;
  }
  return TextFault::kNone;
}

bool is_utf8(ByteView text) {
  for (std::size_t at = 0; at < text.size();) {
    at += skip_good(text.substr(at), is_ascii);
    if (at < text.size() && next_code_point(text, at) == kBadSequence) return false;
  }
  return true;
}

bool is_timestamp(ByteView text) {
  const ByteView whole = text;
  if (!take_shape(text, "0000-00-00T00:00:00")) return false;
  if (!is_date(whole.substr(0, 10)) || !is_hour_and_minute(whole.substr(11, 5))) return false;
  if (!is_in(number_of(whole.substr(17, 2)), 0, 60)) return false;
  if (take_shape(text, ".0")) {
    while (take_shape(text, "0")) continue;
  }
  return is_offset(text);
}

std::string rfc3339(UnixMillis time) {
  constexpr UnixMillis kFirst{-62'167'219'200'000};
  constexpr UnixMillis kLast{253'402'300'799'999};
  if (time < kFirst || time > kLast) return fmt::format("{} ms after 1970", time.value);
  using namespace std::chrono;
  const sys_time<milliseconds> at{milliseconds(time.value)};
  const sys_days day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<milliseconds>(at - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace eventchain::chain
