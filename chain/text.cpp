#include "chain/text.h"

#include <cstring>

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

bool is_forbidden(char32_t point) {
  if (point < 0x20 || (point >= 0x7f && point <= 0x9f)) return true;
  return (point >= 0xfdd0 && point <= 0xfdef) || (point & 0xfffe) == 0xfffe;
}

// A number of exactly `digits` decimal digits in [low, high] at the start of `text`, cut off it;
// -1 if there is none.
int take_number(ByteView& text, std::size_t digits, int low, int high) {
  if (text.size() < digits) return -1;
  int number = 0;
  for (char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return number >= low && number <= high ? number : -1;
}

bool take_one_of(ByteView& text, ByteView choices) {
  if (text.empty() || choices.find(text.front()) == ByteView::npos) return false;
  text.remove_prefix(1);
  return true;
}

int days_in_month(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && is_leap ? 29 : kDays[month - 1];
}

bool take_date(ByteView& text) {
  const int year = take_number(text, 4, 0, 9999);
  if (year < 0 || !take_one_of(text, "-")) return false;
  const int month = take_number(text, 2, 1, 12);
  if (month < 0 || !take_one_of(text, "-")) return false;
  return take_number(text, 2, 1, days_in_month(year, month)) > 0;
}

bool take_hour_and_minute(ByteView& text) {
  return take_number(text, 2, 0, 23) >= 0 && take_one_of(text, ":") &&
         take_number(text, 2, 0, 59) >= 0;
}

}  // namespace

TextFault find_text_fault(ByteView text) {
  for (std::size_t at = 0; at < text.size();) {
    // Nearly all characters of nearly all attributes are printable ASCII.
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
    // Data is mostly ASCII: eight octets at a time.
    std::uint64_t eight = 0;
    if (text.size() - at >= sizeof(eight)) {
      std::memcpy(&eight, text.data() + at, sizeof(eight));
      if ((eight & 0x8080808080808080ULL) == 0) {
        at += sizeof(eight);
        continue;
      }
    }
    if (next_code_point(text, at) == kBadSequence) return false;
  }
  return true;
}

bool is_timestamp(ByteView text) {
  if (!take_date(text) || !take_one_of(text, "Tt") || !take_hour_and_minute(text)) return false;
  if (!take_one_of(text, ":") || take_number(text, 2, 0, 60) < 0) return false;
  if (take_one_of(text, ".")) {
    constexpr ByteView kDigits = "0123456789";
    if (!take_one_of(text, kDigits)) return false;
    while (take_one_of(text, kDigits)) continue;
  }
  if (take_one_of(text, "Zz")) return text.empty();
  return take_one_of(text, "+-") && take_hour_and_minute(text) && text.empty();
}

}  // namespace eventchain::chain
