#include "tools/eventchain/ndjson.h"

#include <doctest/doctest.h>

#include "tests/unit/temporary_directory.h"
#include "tools/eventchain/files.h"

using namespace eventchain::tools;

namespace {

std::string file_with(const TemporaryDirectory& scratch, const char* name, std::string_view text) {
  const auto path = scratch.path() / name;
  REQUIRE(write_new_file(path, text, Secrecy::kPublic).has_value());
  return path.string();
}

}  // namespace

TEST_CASE("lines of several files are cut into batches that know where each came from") {
  const TemporaryDirectory scratch;
  const std::string one = file_with(scratch, "one", "{\"a\":1}\n\n{\"a\":2}\n");
  const std::string two = file_with(scratch, "two", "{\"a\":3}");
  CHECK(count_events({one, two}) == 3);
  BatchReader reader({one, two}, {2, 1000});
  const auto first = reader.next();
  REQUIRE(first.has_value());
  REQUIRE(first->has_value());
  CHECK(batch_body(**first) == "[{\"a\":1},{\"a\":2}]");
  CHECK((*first)->origins == std::vector<std::string>{one + ":1", one + ":3"});
  const auto second = reader.next();
  REQUIRE(second.has_value());
  REQUIRE(second->has_value());
  CHECK((*second)->lines == std::vector<std::string>{"{\"a\":3}"});
  const auto end = reader.next();
  REQUIRE(end.has_value());
  CHECK_FALSE(end->has_value());
}

TEST_CASE("a batch stays below its size, and no line is lost at the border") {
  const TemporaryDirectory scratch;
  std::string text;
  for (int i = 0; i < 50; ++i) text += "{\"number\":" + std::to_string(100 + i) + "}\n";
  BatchReader reader({file_with(scratch, "many", text)}, {1000, 100});
  std::string seen;
  for (;;) {
    const auto batch = reader.next();
    REQUIRE(batch.has_value());
    if (!*batch) break;
    CHECK((*batch)->bytes <= 100);
    for (const std::string& line : (*batch)->lines) seen += line + "\n";
  }
  CHECK(seen == text);
}

TEST_CASE("a file that is missing or has no line ends is an error with its name") {
  const TemporaryDirectory scratch;
  BatchReader missing({(scratch.path() / "absent").string()}, {});
  CHECK(missing.next().error().message.find("absent") != std::string::npos);
  BatchReader endless({file_with(scratch, "endless", std::string(5'000'000, 'x'))}, {});
  CHECK(endless.next().error().code == eventchain::chain::ErrorCode::kTooLarge);
}
