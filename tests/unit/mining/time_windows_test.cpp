#include <doctest/doctest.h>

#include "chain/rng.h"
#include "mining/time_windows.h"

using namespace eventchain;
using namespace eventchain::mining;

namespace {

enum Day : unsigned { kMon, kTue, kWed, kThu, kFri, kSat, kSun };

unsigned minute(Day day, unsigned hour, unsigned minute = 0) {
  return (day * 24 + hour) * 60 + minute;
}

}  // namespace

TEST_CASE("without a window it is always time") {
  const TimeWindows windows;
  CHECK(windows.is_always());
  CHECK(windows.contains(0));
  CHECK(windows.contains(kMinutesPerWeek - 1));
}

TEST_CASE("a window holds from its first minute to the one before its end") {
  TimeWindows windows;
  REQUIRE(windows.add("Tue 08:30-17:00"));
  CHECK_FALSE(windows.contains(minute(kTue, 8, 29)));
  CHECK(windows.contains(minute(kTue, 8, 30)));
  CHECK(windows.contains(minute(kTue, 16, 59)));
  CHECK_FALSE(windows.contains(minute(kTue, 17)));
  CHECK_FALSE(windows.contains(minute(kMon, 9)));
}

TEST_CASE(
    "a window that ends before it begins reaches into the next day, over the week's end too") {
  TimeWindows windows;
  REQUIRE(windows.add("Fri,Sun 20:00-06:00"));
  CHECK(windows.contains(minute(kFri, 23)));
  CHECK(windows.contains(minute(kSat, 5, 59)));
  CHECK_FALSE(windows.contains(minute(kSat, 6)));
  CHECK_FALSE(windows.contains(minute(kSat, 21)));
  CHECK(windows.contains(minute(kSun, 20)));
  CHECK(windows.contains(minute(kMon, 0)));
  CHECK_FALSE(windows.contains(minute(kMon, 6)));
}

TEST_CASE("ranges of days, lists, daily and whole days are understood") {
  TimeWindows windows;
  REQUIRE(windows.add("Sat-Mon,Wed 00:00-24:00"));
  CHECK(windows.contains(minute(kSat, 0)));
  CHECK(windows.contains(minute(kSun, 12)));
  CHECK(windows.contains(minute(kMon, 23, 59)));
  CHECK_FALSE(windows.contains(minute(kTue, 0)));
  CHECK(windows.contains(minute(kWed, 12)));
  CHECK_FALSE(windows.contains(minute(kFri, 12)));
  REQUIRE(windows.add("daily 01:00-02:00"));
  REQUIRE(windows.add("Thu 22:00-22:00"));
  CHECK(windows.contains(minute(kFri, 21, 59)));
  CHECK_FALSE(windows.contains(minute(kFri, 22)));
  for (const Day day : {kMon, kTue, kWed, kThu, kFri, kSat, kSun})
    CHECK(windows.contains(minute(day, 1, 30)));
  CHECK_FALSE(windows.contains(minute(kThu, 2)));
}

TEST_CASE("what is no window is refused with an example, and changes nothing") {
  for (const char* text :
       {"", " ", "Mon", "Mon 8:00-10:00", "Mon 08:00", "Mon 08:00-", "Mon 08:00-25:00",
        "Mon 24:00-01:00", "Mon 08:60-09:00", "mon 08:00-09:00", "Mon, 08:00-09:00",
        ",Mon 08:00-09:00", "Mon-Fri-Sun 08:00-09:00", "Mon- 08:00-09:00", "Mo 08:00-09:00",
        "Mon  08:00-09:00", "Mon 08:00-09:00 ", "Mon 08.00-09.00", "Mon 08:00-09:0x"}) {
    INFO(text);
    TimeWindows windows;
    const auto added = windows.add(text);
    REQUIRE_FALSE(added);
    CHECK(added.error().message.find("Mon-Fri 20:00-06:00") != std::string::npos);
    CHECK(windows.is_always());
  }
}

TEST_CASE("there are 32 windows at most") {
  TimeWindows windows;
  for (std::size_t i = 0; i < TimeWindows::kWindowsMax; ++i)
    REQUIRE(windows.add("daily 01:00-02:00"));
  CHECK_FALSE(windows.add("daily 01:00-02:00"));
}

TEST_CASE("damaged windows are refused or mean some minutes, never anything else") {
  const std::string good = "Mon-Fri,Sun 20:15-06:45";
  for (std::uint64_t seed = 1; seed <= 3'000; ++seed) {
    INFO("seed ", seed);
    chain::Rng rng(seed);
    std::string text = good;
    for (std::uint64_t n = rng.below(3); n < 3; ++n)
      text[rng.below(text.size())] = static_cast<char>(rng.between(32, 126));
    TimeWindows windows;
    if (!windows.add(text)) continue;
    unsigned minutes = 0;
    for (unsigned at = 0; at < kMinutesPerWeek; ++at) minutes += windows.contains(at) ? 1U : 0U;
    CHECK(minutes > 0);
  }
}
