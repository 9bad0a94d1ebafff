#include "tools/eventchain/dpkg_log.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "tools/eventchain/json_text.h"

using namespace eventchain::tools;

namespace {

constexpr std::string_view kUpgrade =
    "2025-06-24 14:36:25 upgrade libsystemd0:amd64 252.36-1~deb12u1 252.38-1~deb12u1";

boost::json::value converted(std::string_view text, std::uint64_t number = 7) {
  const auto event = dpkg_event({text, number, "file://host/var/log/dpkg.log"});
  REQUIRE(event.has_value());
  CHECK(event->find('\n') == std::string::npos);
  return boost::json::parse(*event);
}

}  // namespace

TEST_CASE("a line of action becomes an event of the package's stream") {
  const auto event = converted(kUpgrade);
  CHECK(text_of(event, "specversion") == "1.0");
  CHECK(text_of(event, "type") == "org.debian.dpkg.upgrade");
  CHECK(text_of(event, "stream") == "libsystemd0:amd64");
  CHECK(text_of(event, "source") == "file://host/var/log/dpkg.log");
  const auto* data = find(event, "data");
  REQUIRE(data != nullptr);
  CHECK(text_of(*data, "package") == "libsystemd0:amd64");
  CHECK(text_of(*data, "installed_version") == "252.36-1~deb12u1");
  CHECK(text_of(*data, "available_version") == "252.38-1~deb12u1");
}

TEST_CASE("a version that is none is left out") {
  const auto event = converted("2025-06-24 14:36:25 install jq:amd64 <none> 1.6-2.1");
  const auto* data = find(event, "data");
  REQUIRE(data != nullptr);
  CHECK(find(*data, "installed_version") == nullptr);
  CHECK(text_of(*data, "available_version") == "1.6-2.1");
}

TEST_CASE("the same line has the same id, another place or text has another") {
  const std::string id = text_of(converted(kUpgrade), "id");
  CHECK(text_of(converted(kUpgrade), "id") == id);
  CHECK(text_of(converted(kUpgrade, 8), "id") != id);
  CHECK(text_of(converted("2025-06-24 14:36:26 upgrade a:all 1 2"), "id") != id);
}

TEST_CASE("lines that are no action are no events") {
  for (const std::string_view text :
       {"", "2025-06-24 14:36:25 startup archives unpack",
        "2025-06-24 14:36:25 status installed libc-bin:amd64 2.36-9", "nonsense",
        "2025-13-24 14:36:25 install jq:amd64 <none> 1.6", "2025-06-24 14:36:25 install"}) {
    INFO(text);
    CHECK_FALSE(dpkg_event({text, 1, "urn:x"}).has_value());
  }
}

TEST_CASE("rotation does not change where a log comes from") {
  CHECK(dpkg_source("h", "/var/log/dpkg.log") == "file://h/var/log/dpkg.log");
  CHECK(dpkg_source("h", "/var/log/dpkg.log.1") == "file://h/var/log/dpkg.log");
  CHECK(dpkg_source("h", "/var/log/dpkg.log.12.gz") == "file://h/var/log/dpkg.log");
}
