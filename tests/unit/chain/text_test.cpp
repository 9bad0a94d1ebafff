#include "chain/text.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>

using namespace eventchain::chain;

namespace {

constexpr std::size_t kLengthMax = 26;  // three steps of eight octets and some

}  // namespace

// Eight octets are looked at in one go; so each octet value goes to each place of each length.
TEST_CASE("a bad octet is found wherever it stands in a text of whatever length") {
  for (std::size_t length = 1; length <= kLengthMax; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      for (unsigned octet = 0; octet < 256; ++octet) {
        std::string text(length, 'x');
        text[at] = static_cast<char>(octet);
        INFO("octet " << octet << " at " << at << " of " << length);
        const bool is_control = octet < 0x20 || octet == 0x7f;
        const TextFault fault = octet >= 0x80 ? TextFault::kNotUtf8
                                : is_control  ? TextFault::kForbidden
                                              : TextFault::kNone;
        REQUIRE(find_text_fault(text) == fault);
        REQUIRE(is_utf8(text) == (octet < 0x80));
      }
    }
  }
}

TEST_CASE("characters of several octets may begin anywhere, but not be cut off") {
  for (const std::string character : {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    for (std::size_t before = 0; before < kLengthMax; ++before) {
      for (std::size_t behind = 0; behind < kLengthMax; ++behind) {
        const std::string lead(before, ' ');
        const std::string tail(behind, '~');
        const std::string cut = character.substr(0, character.size() - 1);
        INFO(character << " behind " << before << " and before " << behind);
        REQUIRE(find_text_fault(lead + character + tail) == TextFault::kNone);
        REQUIRE(is_utf8(lead + character + tail));
        REQUIRE(find_text_fault(lead + cut + tail) == TextFault::kNotUtf8);
        REQUIRE_FALSE(is_utf8(lead + cut + tail));
        REQUIRE(find_text_fault(lead + character + tail + "\n") == TextFault::kForbidden);
      }
    }
  }
}

TEST_CASE("an empty text has no fault") {
  CHECK(find_text_fault("") == TextFault::kNone);
  CHECK(is_utf8(""));
}

TEST_CASE("times of RFC 3339 in all their spellings") {
  for (const std::string good :
       {"2025-01-31T12:00:00Z", "2025-01-31t12:00:00z", "2025-01-31T12:00:00.5Z",
        "2025-01-31T12:00:00.123456789012Z", "2025-01-31T23:59:60+23:59",
        "0000-12-31T00:00:00-00:00", "2024-02-29T00:00:00.0-09:30"})
    CHECK_MESSAGE(is_timestamp(good), good);
  for (const std::string bad :
       {"", "2025-01-31T12:00:00", "2025-01-31T12:00:00.", "2025-01-31T12:00:00+",
        "2025-01-31T12:00:00+1:00", "2025-01-31T12:00:00-01:60", "2025-01-31T12:00:00.1",
        "2025-01-31T12:00:00.1.2Z", "2025-01-31T12:00:0:Z", "2025-04-31T12:00:00Z",
        "2025-01-31X12:00:00Z", " 2025-01-31T12:00:00Z"})
    CHECK_MESSAGE(!is_timestamp(bad), bad);
}

TEST_CASE("times are written as RFC 3339 has them, and as a number where it has no spelling") {
  CHECK(rfc3339({0}) == "1970-01-01T00:00:00.000Z");
  CHECK(rfc3339({1'738'324'800'123}) == "2025-01-31T12:00:00.123Z");
  CHECK(rfc3339({-1}) == "1969-12-31T23:59:59.999Z");
  CHECK(rfc3339({253'402'300'799'999}) == "9999-12-31T23:59:59.999Z");
  CHECK(rfc3339({253'402'300'800'000}) == "253402300800000 ms after 1970");
  CHECK(rfc3339({-62'167'219'200'000}) == "0000-01-01T00:00:00.000Z");
  CHECK(rfc3339({std::numeric_limits<std::int64_t>::min()}) ==
        "-9223372036854775808 ms after 1970");
}
