#include "net/http/pace.h"

#include <doctest/doctest.h>

using eventchain::net::http::Pace;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr Pace::Time kStart{};

// 20 KiB in every 20 s.
Pace pace() {
  Pace pace(seconds(20), 1024);
  pace.begin(kStart);
  return pace;
}

}  // namespace

TEST_CASE("octets that came quickly buy no time beyond their window") {
  Pace body = pace();
  for (int i = 0; i < 1024; ++i) body.pass(16 * 1024, kStart + milliseconds(i));
  CHECK_FALSE(body.is_late(kStart + seconds(20)));
  CHECK(body.is_late(kStart + seconds(22)));
}

TEST_CASE("whoever keeps to the least rate is never late") {
  Pace body = pace();
  for (int second = 1; second <= 1000; ++second) {
    CHECK_FALSE(body.is_late(kStart + seconds(second)));
    body.pass(1024, kStart + seconds(second));
  }
}

TEST_CASE("whoever is slower than the least rate is late at the end of a window") {
  Pace body = pace();
  for (int second = 1; second <= 20; ++second) body.pass(1023, kStart + seconds(second));
  CHECK(body.is_late(kStart + seconds(20) + milliseconds(1)));
}

TEST_CASE("something must pass in every window, however low the rate") {
  Pace body(milliseconds(1), 1);
  body.begin(kStart);
  body.pass(0, kStart + milliseconds(1));
  CHECK(body.is_late(kStart + milliseconds(2)));
  body.pass(1, kStart + milliseconds(2));
  CHECK_FALSE(body.is_late(kStart + milliseconds(3)));
}
