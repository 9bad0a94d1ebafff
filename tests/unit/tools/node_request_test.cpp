#include "tools/eventchain/node_request.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "tests/unit/temporary_directory.h"
#include "tests/unit/tools/text_of_file.h"
#include "tools/eventchain/certificate.h"
#include "tools/eventchain/certificate_request.h"
#include "tools/eventchain/node_setup.h"
#include "tools/eventchain/peer_identity.h"

using namespace eventchain;
using namespace eventchain::tools;
namespace fs = std::filesystem;

namespace {

const Authority kDemo{"example.org", "demo"};
constexpr std::int64_t kDay = 24LL * 60 * 60 * 1000;

template <class T>
T must(chain::Result<T> result) {
  INFO((result ? "" : result.error().message));
  REQUIRE(result.has_value());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// An authority and, elsewhere, the directory of one node.
struct Place {
  TemporaryDirectory scratch;
  fs::path authority = scratch.path() / "pki";
  fs::path home = scratch.path() / "host/alpha";

  Place() { must(create_authority(authority, kDemo)); }
  std::string request() { return must(prepare_request(home, kDemo, "alpha", "east")); }
  std::string sign(const std::string& request, int days = 100) {
    Signing signing;
    signing.request = request;
    signing.name = "alpha";
    signing.days = days;
    return must(sign_request(authority, signing));
  }
  std::string authority_pem() { return text_of_file(authority / "ca.cert.pem"); }
  void enrol(int days = 100) {
    must(accept_certificate(home, sign(request(), days), authority_pem()));
  }
  bool key_fits() {
    const Key key = must(key_from_pem(text_of_file(home / "key.pem"), "key"));
    return must(is_certificate_for(text_of_file(home / "cert.pem"), key.get(), uri()));
  }
  std::string uri() {
    return "spiffe://example.org/eventchain/demo/node/" + to_hex(must(load_member(home)).node);
  }
  chain::UnixMillis end_of_certificate() { return must(prepare_renewal(home, 0, {0})).valid_until; }
};

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

}  // namespace

TEST_CASE("a first voter's keys are drawn on its host, and genesis is made of what it tells") {
  Place place;
  place.enrol();
  CHECK(place.key_fits());
  CHECK(mode_of(place.home / "key.pem") == 0600);
  CHECK(mode_of(place.home / "signing.key.pem") == 0600);
  CHECK(text_of_file(place.home / "ca.cert.pem") == place.authority_pem());

  // All that goes to the authority is public.
  fs::create_directories(place.authority / "alpha");
  fs::copy_file(place.home / "member.json", place.authority / "alpha/member.json");
  GenesisPlan plan;
  plan.authority = place.authority;
  plan.voters = {"alpha"};
  plan.created = {1'700'000'000'000};
  const chain::Genesis genesis = must(plan_genesis(plan));
  REQUIRE(genesis.voters.size() == 1);
  CHECK(genesis.voters[0].site == "east");
  const Key signing = must(key_from_pem(text_of_file(place.home / "signing.key.pem"), "key"));
  CHECK(must(raw_public_key(signing.get())) == genesis.voters[0].signing_key.view());
}

TEST_CASE("a request is made once and then kept") {
  Place place;
  const std::string first = place.request();
  CHECK(place.request() == first);
  CHECK(text_of_file(place.home / "csr.pem") == first);
  // Interrupted before the request was written: of the same key.
  fs::remove(place.home / "csr.pem");
  const std::string second = place.request();
  CHECK(EVP_PKEY_eq(must(read_certificate_request(first)).key.get(),
                    must(read_certificate_request(second)).key.get()) == 1);
  // And a request of another key is not believed.
  fs::remove(place.home / "key.pem");
  CHECK(place.request() != second);
}

TEST_CASE("a directory belongs to one node of one chain") {
  Place place;
  place.enrol();
  CHECK_FALSE(prepare_request(place.home, kDemo, "beta", "").has_value());
  CHECK_FALSE(prepare_request(place.home, {"example.org", "other"}, "alpha", "").has_value());
  CHECK_FALSE(prepare_request(place.home, {"Example Org", "demo"}, "alpha", "").has_value());
  CHECK_FALSE(prepare_request(place.scratch.path() / "x", kDemo, "../alpha", "").has_value());
  CHECK(prepare_request(place.home, kDemo, "alpha", "east").has_value());
}

TEST_CASE("a certificate is taken only if it answers a request and the authority signed it") {
  Place place;
  Place strangers;
  const std::string request = place.request();
  const std::string good = place.sign(request);
  // Signed by another authority of the same names, for another node, no certificate at all.
  CHECK_FALSE(accept_certificate(place.home, strangers.sign(request), place.authority_pem()));
  CHECK_FALSE(
      accept_certificate(place.home, place.sign(strangers.request()), place.authority_pem()));
  CHECK_FALSE(accept_certificate(place.home, "", place.authority_pem()));
  CHECK_FALSE(accept_certificate(place.home, good, ""));  // no authority is known yet
  CHECK_FALSE(fs::exists(place.home / "cert.pem"));
  CHECK_FALSE(fs::exists(place.home / "ca.cert.pem"));
  must(accept_certificate(place.home, good, place.authority_pem()));
  must(accept_certificate(place.home, good, ""));  // once more does no harm
  CHECK(place.key_fits());
}

TEST_CASE("a certificate is renewed when it is time, with a new key and the same name") {
  Place place;
  place.enrol();
  const std::string old_key = text_of_file(place.home / "key.pem");
  const chain::UnixMillis end = place.end_of_certificate();
  const Renewal early = must(prepare_renewal(place.home, 30, {end.value - 31 * kDay}));
  CHECK_FALSE(early.is_needed);
  CHECK(early.request.empty());
  CHECK_FALSE(fs::exists(place.home / "next.key.pem"));

  const Renewal due = must(prepare_renewal(place.home, 30, {end.value - 29 * kDay}));
  CHECK(due.is_needed);
  CHECK(mode_of(place.home / "next.key.pem") == 0600);
  CHECK(must(read_certificate_request(due.request)).uri == place.uri());
  // Nothing has changed for the node yet, and asking again asks the same.
  CHECK(text_of_file(place.home / "key.pem") == old_key);
  CHECK(must(prepare_renewal(place.home, 30, {end.value})).request == due.request);

  must(accept_certificate(place.home, place.sign(due.request, 300), ""));
  CHECK(place.key_fits());
  CHECK(text_of_file(place.home / "key.pem") != old_key);
  CHECK(mode_of(place.home / "key.pem") == 0600);
  CHECK(place.end_of_certificate().value > end.value + 100 * kDay);
  CHECK_FALSE(fs::exists(place.home / "next.key.pem"));
  CHECK_FALSE(fs::exists(place.home / "next.csr.pem"));
}

TEST_CASE(
    "a renewal that was interrupted between key and certificate is finished by running it again") {
  Place place;
  place.enrol();
  const chain::UnixMillis end = place.end_of_certificate();
  const Renewal due = must(prepare_renewal(place.home, 30, end));
  const std::string certificate = place.sign(due.request);
  fs::copy_file(place.home / "next.key.pem", place.home / "key.pem",
                fs::copy_options::overwrite_existing);
  CHECK_FALSE(place.key_fits());
  // The old certificate would last, but does not fit.
  const Renewal again = must(prepare_renewal(place.home, 30, {0}));
  CHECK(again.is_needed);
  CHECK(again.request == due.request);
  must(accept_certificate(place.home, certificate, ""));
  CHECK(place.key_fits());
  CHECK_FALSE(must(prepare_renewal(place.home, 30, {0})).is_needed);
}
