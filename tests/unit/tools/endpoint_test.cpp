#include <doctest/doctest.h>

#include "tools/eventchain/http_client.h"
#include "tools/eventchain/table.h"

using namespace eventchain::tools;

TEST_CASE("endpoints are read with and without port, and as IPv6") {
  const auto plain = parse_endpoint("http://127.0.0.1:8100/");
  REQUIRE(plain.has_value());
  CHECK_FALSE(plain->tls);
  CHECK(plain->host == "127.0.0.1");
  CHECK(plain->port == "8100");
  const auto secure = parse_endpoint("https://db1.example.org");
  REQUIRE(secure.has_value());
  CHECK(secure->tls);
  CHECK(secure->port == "443");
  const auto six = parse_endpoint("https://[::1]:8100");
  REQUIRE(six.has_value());
  CHECK(six->host == "::1");
  CHECK(six->port == "8100");
}

TEST_CASE("what is no endpoint is refused with what one looks like") {
  for (const char* text : {"", "db1:8100", "ftp://db1", "http://", "http://db1:port", "http://[::1",
                           "http://db1:", "http://db1/path"}) {
    INFO(text);
    const auto endpoint = parse_endpoint(text);
    REQUIRE_FALSE(endpoint.has_value());
    CHECK(endpoint.error().message.find("https://HOST:PORT") != std::string::npos);
  }
}

TEST_CASE("a node that nobody runs is unavailable, not an accident") {
  // Port 1 on loopback: refused at once.
  HttpConnection connection(parse_endpoint("http://127.0.0.1:1").value(), nullptr);
  const auto answer = connection.exchange({}, std::chrono::milliseconds(2000));
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == eventchain::chain::ErrorCode::kUnavailable);
  CHECK(answer.error().message.find("http://127.0.0.1:1") != std::string::npos);
}

TEST_CASE("columns of a table line up and no line ends in blanks") {
  CHECK(table({"A", "LONG"}, {{"xx", "1"}, {"y", ""}}) == "A   LONG\nxx  1\ny\n");
}
