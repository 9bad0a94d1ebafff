#include "tools/eventchain/files.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "tests/unit/temporary_directory.h"
#include "tests/unit/tools/text_of_file.h"

using namespace eventchain::tools;
namespace fs = std::filesystem;

namespace {

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  REQUIRE(S_ISREG(status.st_mode));
  return status.st_mode & 0777;
}

}  // namespace

TEST_CASE("a secret that is replaced never has others' permissions, whatever a killed run left") {
  const TemporaryDirectory scratch;
  const fs::path key = scratch.path() / "key.pem";
  REQUIRE(write_new_file(key.string() + ".new", "of an earlier run", Secrecy::kPublic).has_value());
  REQUIRE(replace_file(key, "secret", Secrecy::kSecret).has_value());
  CHECK(text_of_file(key) == "secret");
  CHECK(mode_of(key) == 0600);
  CHECK_FALSE(fs::exists(key.string() + ".new"));
}

TEST_CASE("a link beside a file that is replaced leads nobody's octets elsewhere") {
  const TemporaryDirectory scratch;
  const fs::path key = scratch.path() / "key.pem";
  const fs::path elsewhere = scratch.path() / "elsewhere";
  REQUIRE(write_new_file(elsewhere, "as it was", Secrecy::kPublic).has_value());
  fs::create_symlink(elsewhere, key.string() + ".new");
  REQUIRE(replace_file(key, "secret", Secrecy::kSecret).has_value());
  CHECK(text_of_file(elsewhere) == "as it was");
  CHECK(mode_of(key) == 0600);
  // A link under the name itself is replaced, not followed.
  fs::create_symlink(elsewhere, scratch.path() / "link.pem");
  REQUIRE(replace_file(scratch.path() / "link.pem", "more", Secrecy::kSecret).has_value());
  CHECK(text_of_file(elsewhere) == "as it was");
  CHECK(mode_of(scratch.path() / "link.pem") == 0600);
  // Nor does a new file follow one, not even to a place where nothing is yet.
  fs::create_symlink(scratch.path() / "nothing", scratch.path() / "new.pem");
  CHECK_FALSE(write_new_file(scratch.path() / "new.pem", "x", Secrecy::kSecret).has_value());
  CHECK_FALSE(fs::exists(scratch.path() / "nothing"));
}

TEST_CASE("what cannot be removed is named") {
  const TemporaryDirectory scratch;
  const fs::path key = scratch.path() / "key.pem";
  fs::create_directory(key.string() + ".new");
  const auto refused = replace_file(key, "secret", Secrecy::kSecret);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.find("key.pem.new") != std::string::npos);
}
