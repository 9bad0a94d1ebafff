#include "net/asio/certificate_file.h"

#include <doctest/doctest.h>

#include <fstream>

#include "tests/unit/temporary_directory.h"

using namespace eventchain;

namespace {

// Valid until 2030-01-03 03:04:05 UTC.
constexpr const char* kCertificate =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBLDCB36ADAgECAhQHzI5OsxxylhFTdXyd04RYRSO4ZzAFBgMrZXAwDDEKMAgG\n"
    "A1UEAwwBeDAeFw0zMDAxMDIwMzA0MDVaFw0zMDAxMDMwMzA0MDVaMAwxCjAIBgNV\n"
    "BAMMAXgwKjAFBgMrZXADIQDQ7lgtwr4bYKd5Xpqzqal5sZD+dcDHfz7sDSi/yVU9\n"
    "wKNTMFEwHQYDVR0OBBYEFIBpaGWUyVP+HMfptHkWdIY2a/Q7MB8GA1UdIwQYMBaA\n"
    "FIBpaGWUyVP+HMfptHkWdIY2a/Q7MA8GA1UdEwEB/wQFMAMBAf8wBQYDK2VwA0EA\n"
    "O8jWceJxjXn8WOSbhlUrS053vH/jT+JuaTx9wdvOE4DINvnyPPp5rv8nD2dp+eYY\n"
    "7r9SGhJoLeA2auZFWMTUBw==\n"
    "-----END CERTIFICATE-----\n";

}  // namespace

TEST_CASE("how long a certificate is valid is read from its file, in UTC") {
  const TemporaryDirectory scratch;
  const std::string file = scratch.file("cert.pem");
  std::ofstream(file) << "what is before it does not count\n" << kCertificate;
  const auto read = net::read_certificate_file(file);
  REQUIRE_MESSAGE(read.has_value(), read.error().message);
  CHECK(read->not_before == chain::UnixMillis{1'893'553'445'000});
  CHECK(read->not_after == chain::UnixMillis{1'893'639'845'000});
  CHECK(read->subject == "CN=x");
  CHECK(read->issuer == "CN=x");
  CHECK(read->uri.empty());
}

TEST_CASE("a file without a certificate is an error that names it") {
  const TemporaryDirectory scratch;
  const std::string broken = scratch.file("broken.pem");
  std::string text = kCertificate;
  text[text.size() / 2] = '!';
  std::ofstream(broken) << text;
  const std::string empty = scratch.file("empty.pem");
  std::ofstream(empty).flush();
  for (const std::string& file : {broken, empty, scratch.file("missing.pem"), scratch.file("")}) {
    const auto read = net::read_certificate_file(file);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().message.find(file) != std::string::npos);
  }
}
