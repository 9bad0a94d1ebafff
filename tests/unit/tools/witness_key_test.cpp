#include "tools/eventchain/witness_key.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "chain/keys.h"
#include "chain/note.h"
#include "store/sqlite/sqlite_witness_memory.h"
#include "tests/unit/temporary_directory.h"
#include "tests/unit/tools/text_of_file.h"

using namespace eventchain;
using namespace eventchain::tools;
namespace fs = std::filesystem;

namespace {

constexpr const char* kName = "sister.example/w1";

}  // namespace

TEST_CASE("a witness has a key of its own that its user alone can read, and an empty memory") {
  const TemporaryDirectory directory;
  const fs::path home = directory.path() / "a" / "witness";
  const auto verifier = make_witness(home, kName);
  REQUIRE_MESSAGE(verifier.has_value(), verifier.error().message);
  const auto parsed = chain::parse_note_verifier_key(*verifier, chain::NoteKeyKind::kCosignature);
  REQUIRE(parsed.has_value());
  CHECK(parsed->name == kName);
  const auto key = chain::Ed25519::from_pem(text_of_file(home / "key.pem"));
  REQUIRE(key.has_value());
  CHECK((*key)->public_key() == parsed->key);
  CHECK((fs::status(home / "key.pem").permissions() & fs::perms::all) ==
        (fs::perms::owner_read | fs::perms::owner_write));
  const auto memory = store::open_witness_memory(home / store::kWitnessDatabaseName);
  REQUIRE(memory.has_value());
  CHECK((*memory)->verifier() == *verifier);
}

TEST_CASE("what is a witness stays that witness") {
  const TemporaryDirectory directory;
  const auto verifier = make_witness(directory.path(), kName);
  REQUIRE(verifier.has_value());
  CHECK(make_witness(directory.path(), kName).value_or("") == *verifier);
  CHECK(make_witness(directory.path(), "").value_or("") == *verifier);
  CHECK_FALSE(make_witness(directory.path(), "sister.example/w2").has_value());
  // One that lost its memory does not get a new one for the same key.
  fs::remove(directory.path() / store::kWitnessDatabaseName);
  CHECK(make_witness(directory.path(), kName).value_or("") == *verifier);
  CHECK_FALSE(fs::exists(directory.path() / store::kWitnessDatabaseName));
}

TEST_CASE("what was interrupted before there was a key begins anew") {
  const TemporaryDirectory directory;
  const auto first = make_witness(directory.path(), kName);
  REQUIRE(first.has_value());
  fs::remove(directory.path() / "key.pem");
  const auto second = make_witness(directory.path(), kName);
  REQUIRE_MESSAGE(second.has_value(), second.error().message);
  CHECK(*first != *second);
  const auto memory = store::open_witness_memory(directory.path() / store::kWitnessDatabaseName);
  REQUIRE(memory.has_value());
  CHECK((*memory)->verifier() == *second);
}

TEST_CASE("a name must fit a signature's line") {
  const TemporaryDirectory directory;
  for (const char* name : {"", "a b", "a+b", "a\n"})
    CHECK_FALSE(make_witness(directory.path() / "w", name).has_value());
  CHECK_FALSE(fs::exists(directory.path() / "w" / "key.pem"));
}
