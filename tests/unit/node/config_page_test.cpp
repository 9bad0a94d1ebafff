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
