#include "node/config_page.h"

#include <doctest/doctest.h>

#include "node/config_settings.h"
#include "node/program_pages.h"

using namespace eventchain::node;

TEST_CASE("every setting is in the example, and so in the manual") {
  CHECK(undocumented_settings() == std::vector<std::string>{});
  const std::string page = settings_page();
  for (const std::string& key : known_settings()) {
    INFO(key);
    CHECK(page.find(".TP\n\\fB" + roff(key) + "\\fR\n") != std::string::npos);
  }
  // Once each, with what it takes.
  std::size_t entries = 0;
  for (auto at = page.find(".TP\n"); at != std::string::npos; at = page.find(".TP\n", at + 1))
    ++entries;
  CHECK(entries == known_settings().size());
  CHECK(page.find("\nTakes . ") == std::string::npos);
  for (auto at = page.find(".br\n"); at != std::string::npos; at = page.find(".br\n", at + 1))
    CHECK(page[at - 1] == '\n');
  CHECK(page.find("\nTakes an integer from 1 to 64. Default: 1.\n") != std::string::npos);
}

namespace {

// What the manual says of a setting, without its name.
std::string entry(const std::string& key) {
  const std::string page = settings_page();
  const std::string head = ".TP\n\\fB" + roff(key) + "\\fR\n";
  const std::size_t at = page.find(head);
  REQUIRE(at != std::string::npos);
  const std::size_t begin = at + head.size();
  return page.substr(begin, page.find(".TP\n", begin) - begin);
}

}  // namespace

TEST_CASE("what is said of a setting stands alone, and says what holds without it") {
  CHECK(entry("witness.tls") ==
        "Whether that listener speaks TLS; false on a loopback address only.\n.br\n"
        "Takes true or false. Default: true.\n");
  CHECK(entry("witness.directory").find("Unless set, witness in node.data") != std::string::npos);
  CHECK(entry("witness.listen").find("No default.") != std::string::npos);
  CHECK(entry("witness.logs.keys").find("No default.") != std::string::npos);
  for (const std::string key : {"witness.directory", "witness.certificate", "witness.key",
                                "mining.socket", "witnesses.quorum"}) {
    INFO(key);
    CHECK(entry(key).find("No default.") == std::string::npos);
    CHECK(entry(key).find("nless set") != std::string::npos);
  }
}

TEST_CASE("what a setting takes is told in the words of its complaint") {
  CHECK(accepted_values("api.threads") == "an integer from 1 to 64");
  CHECK(accepted_values("api.listen") == "host:port or [ipv6]:port");
  CHECK(accepted_values("peers.nodes.address") == "host:port or [ipv6]:port");
  CHECK(accepted_values("api.tls") == "true or false");
  CHECK(accepted_values("node.data") == "a file or directory");
  CHECK(accepted_values("node.id") == "a node id: 32 lower-case hexadecimal digits");
  CHECK(accepted_values("log.format") == "one of: text, json");
  CHECK(accepted_values("mining.socket_group") == "a string in quotes");
  CHECK(accepted_values("api.operators") == "a list of strings in quotes, e.g. [\"operator\"]");
}

TEST_CASE("a text of any characters shows as it is in a manual") {
  CHECK(roff("a-b") == "a\\-b");
  CHECK(roff("back\\slash") == "back\\eslash");
  CHECK(roff(".TH no request") == "\\&.TH no request");
  CHECK(roff("first\n'second") == "first\n\\&'second");
}
