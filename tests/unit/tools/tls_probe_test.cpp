#include "tools/eventchain/tls_probe.h"

#include <doctest/doctest.h>

#include "net/asio/certificate_file.h"
#include "tests/unit/temporary_directory.h"
#include "tests/unit/tools/text_of_file.h"
#include "tools/eventchain/files.h"
#include "tools/eventchain/pki.h"

using namespace eventchain;
using namespace eventchain::tools;
namespace fs = std::filesystem;

namespace {

// An authority with nodes a and b.
struct Issued {
  TemporaryDirectory scratch;
  fs::path dir = scratch.path() / "pki";

  Issued() {
    REQUIRE(create_authority(dir, {"example.org", "demo"}).has_value());
    for (const char* name : {"a", "b"}) {
      Issue wanted;
      wanted.name = name;
      wanted.days = 10;
      REQUIRE(issue_certificate(dir, wanted).has_value());
    }
  }
  [[nodiscard]] TlsFiles files(const std::string& certificate, const std::string& key) const {
    return {dir / "ca.cert.pem", dir / certificate / "cert.pem", dir / key / "key.pem"};
  }
};

void overwrite(const fs::path& file, const std::string& text) {
  REQUIRE(replace_file(file, text, Secrecy::kPublic).has_value());
}

}  // namespace

TEST_CASE("a certificate file tells whom it names and when it ends") {
  const Issued issued;
  const auto member = load_member(issued.dir / "a");
  REQUIRE(member.has_value());
  const auto read = net::read_certificate_file(issued.dir / "a/cert.pem");
  REQUIRE(read.has_value());
  CHECK(read->uri == "spiffe://example.org/eventchain/demo/node/" + chain::to_hex(member->node));
  CHECK(read->subject == "CN=a");
  CHECK(read->issuer == "CN=EventChain demo authority");
  constexpr std::int64_t kDay = 24LL * 3600 * 1000;
  // Backdated by an hour, for clocks that differ.
  CHECK(read->not_after.value - read->not_before.value == 10 * kDay + kDay / 24);
}

TEST_CASE("files without a certificate are refused by name") {
  const TemporaryDirectory scratch;
  const fs::path file = scratch.path() / "cert.pem";
  const auto refused = [&file] {
    const auto read = net::read_certificate_file(file);
    CHECK_FALSE(read.has_value());
    const std::string told = read ? std::string() : read.error().message;
    CHECK(told.find(file.string()) == 0);
    return told;
  };
  CHECK(refused().find("cannot be read") != std::string::npos);
  overwrite(file, "hello");
  CHECK(refused().find("no certificate") != std::string::npos);
  overwrite(file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  CHECK(refused().find("no certificate") != std::string::npos);
  overwrite(file, std::string(300 * 1024, 'x'));
  CHECK(refused().find("larger") != std::string::npos);
}

TEST_CASE("certificate, key and authority must belong together") {
  const Issued issued;
  const Issued foreign;
  CHECK(tls_files_trouble(issued.files("a", "a")).empty());
  CHECK(tls_files_trouble(issued.files("a", "b")).find("cannot be used with it") !=
        std::string::npos);
  TlsFiles other = issued.files("a", "a");
  other.ca = foreign.dir / "ca.cert.pem";
  CHECK(tls_files_trouble(other).find("did not issue it") != std::string::npos);
  other.ca.clear();
  CHECK(tls_files_trouble(other).empty());
  other.ca = issued.dir / "nothing.pem";
  CHECK(tls_files_trouble(other).find("nothing.pem") != std::string::npos);
  CHECK_FALSE(tls_files_trouble({}).empty());
}
