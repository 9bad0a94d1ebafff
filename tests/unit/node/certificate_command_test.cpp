#include "node/api/certificate_command.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>
#include <future>
#include <string>

#include "tests/unit/temporary_directory.h"

using namespace eventchain;
using namespace eventchain::node::api;

namespace {

constexpr const char* kCertificate = "-----BEGIN CERTIFICATE-----";

// A certificate authority that is a shell script.
struct Authority {
  explicit Authority(const std::string& script) {
    options.program = directory.path() / "sign";
    std::ofstream(options.program) << "#!/bin/sh\n" << script << "\n";
    REQUIRE(::chmod(options.program.c_str(), 0700) == 0);
  }

  chain::Result<std::string> sign(std::string request = "request") {
    CertificateCommand command(options);
    return sign_with(command, std::move(request)).get();
  }
  static std::future<chain::Result<std::string>> sign_with(CertificateCommand& command,
                                                           std::string request = "request") {
    const auto told = std::make_shared<std::promise<chain::Result<std::string>>>();
    CertificateWanted wanted;
    wanted.node.octets[0] = 7;
    wanted.name = "n4";
    wanted.request = std::move(request);
    command.issue(std::move(wanted), [told](auto made) { told->set_value(std::move(made)); });
    return told->get_future();
  }

  TemporaryDirectory directory;
  CertificateCommandOptions options;
};

}  // namespace

TEST_CASE("the command gets the request and who it is for, and its answer is the certificate") {
  Authority authority(
      "echo '-----BEGIN CERTIFICATE-----'; echo $EVENTCHAIN_NODE_ID $EVENTCHAIN_NODE_NAME; cat");
  const std::string request(200'000, 'r');  // more than a pipe holds
  authority.options.answer_bytes_max = 300'000;
  const auto made = authority.sign(request);
  REQUIRE_MESSAGE(made.has_value(), made.error().message);
  CHECK(*made == std::string(kCertificate) + "\n07000000000000000000000000000000 n4\n" + request);
}

TEST_CASE("the node's own settings and files stay with the node") {
  Authority authority(
      "echo '-----BEGIN CERTIFICATE-----'; env | grep -c EVENTCHAIN_; ls /proc/self/fd");
  ::setenv("EVENTCHAIN_API_LISTEN", "secret", 1);
  const int leaked = ::dup(0);
  const auto made = authority.sign("");
  ::unsetenv("EVENTCHAIN_API_LISTEN");
  ::close(leaked);
  REQUIRE_MESSAGE(made.has_value(), made.error().message);
  // 3 is the folder that ls itself reads.
  CHECK(*made == std::string(kCertificate) + "\n2\n0\n1\n2\n3\n");
}

TEST_CASE("a command that does not read its input may still know the answer") {
  Authority authority("echo '-----BEGIN CERTIFICATE-----'");
  CHECK(authority.sign(std::string(1'000'000, 'r')).has_value());
}

TEST_CASE("something that the command leaves behind does not keep anybody waiting") {
  Authority authority("tail -f /dev/null & echo '-----BEGIN CERTIFICATE-----'");
  authority.options.time_max = std::chrono::hours(1);
  CHECK(authority.sign().has_value());
}

TEST_CASE("commands that fail, talk nonsense or too much, or never end are told as that") {
  struct Case {
    const char* script;
    const char* says;
  };
  const Case cases[] = {
      {"echo '-----BEGIN CERTIFICATE-----'; exit 3", "exit code 3"},
      {"kill -9 $$", "signal 9"},
      {"echo hello", "no certificate"},
      {"printf -- '-----BEGIN CERTIFICATE-----\\377'", "no certificate"},
      {"echo '-----BEGIN CERTIFICATE-----'; exec cat /dev/zero", "more than 65536 octets"},
      {"exec tail -f /dev/null", "longer than 200 ms"},
      {"exec >/dev/null; exec tail -f /dev/null", "longer than 200 ms"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.script);
    Authority authority(one.script);
    if (std::string_view(one.says).find("200 ms") != std::string_view::npos)
      authority.options.time_max = std::chrono::milliseconds(200);
    const auto made = authority.sign();
    REQUIRE_FALSE(made.has_value());
    CAPTURE(made.error().message);
    CHECK(made.error().message.find(one.says) != std::string::npos);
  }
  Authority missing("");
  missing.options.program += ".gone";
  const auto made = missing.sign();
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().message.find("cannot run") != std::string::npos);
}

TEST_CASE("requests are made one after the other, and there is an end to waiting") {
  Authority authority("read line; echo $line");
  authority.options.waiting_max = 2;
  authority.options.program = authority.directory.path() / "wait";
  // The first one holds until the test lets go.
  std::ofstream(authority.options.program)
      << "#!/bin/sh\nread line < " << (authority.directory.path() / "gate").string()
      << "\necho '-----BEGIN CERTIFICATE-----'\n";
  REQUIRE(::chmod(authority.options.program.c_str(), 0700) == 0);
  REQUIRE(::mkfifo((authority.directory.path() / "gate").c_str(), 0600) == 0);
  authority.options.time_max = std::chrono::hours(1);
  CertificateCommand command(authority.options);
  auto first = Authority::sign_with(command);
  // Opens when the first command reads: from then on it is out of the queue.
  std::ofstream gate(authority.directory.path() / "gate");
  auto second = Authority::sign_with(command);
  auto third = Authority::sign_with(command);
  auto fourth = Authority::sign_with(command);
  CHECK_FALSE(fourth.get().has_value());
  gate << "go\n" << std::flush;
  CHECK(first.get().has_value());
  // Stopping fails what waits and kills what runs; with an hour to go, it would not end otherwise.
  command.stop();
  CHECK_FALSE(second.get().has_value());
  CHECK_FALSE(third.get().has_value());
  CHECK_FALSE(Authority::sign_with(command).get().has_value());
}
