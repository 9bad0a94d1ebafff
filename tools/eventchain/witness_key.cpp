#include "tools/eventchain/witness_key.h"

#include <fmt/format.h>

#include "chain/note.h"
#include "store/sqlite/sqlite_witness_memory.h"
#include "tools/eventchain/certificate.h"
#include "tools/eventchain/files.h"

namespace eventchain::tools {

namespace fs = std::filesystem;
using chain::ErrorCode;
using chain::fail;
using chain::NoteKeyKind;
using chain::Result;

namespace {

// As node/witnessing/setup.h has it.
constexpr const char* kKeyName = "key.pem";
constexpr const char* kVerifierName = "verifier-key";

Result<std::string> read_verifier(const fs::path& directory, const std::string& name) {
  auto text = read_file(directory / kVerifierName, 4096);
  if (!text) return text;
  if (text->ends_with('\n')) text->pop_back();
  const auto verifier = chain::parse_note_verifier_key(*text, NoteKeyKind::kCosignature);
  if (!verifier) return tl::unexpected<chain::Error>(verifier.error());
  if (!name.empty() && verifier->name != name)
    return fail(
        ErrorCode::kConflict,
        fmt::format("{} is the witness {} already; another one needs a directory of its own",
                    directory.string(), verifier->name));
  return text;
}

// What an interrupted try left has no key, so it never signed anything.
Result<void> remove_rest(const fs::path& directory) {
  for (const char* name : {store::kWitnessDatabaseName, kVerifierName}) {
    std::error_code error;
    fs::remove(directory / name, error);
    if (error)
      return fail(ErrorCode::kIo, fmt::format("cannot remove {}: {}", (directory / name).string(),
                                              error.message()));
  }
  return {};
}

}  // namespace

Result<std::string> make_witness(const fs::path& directory, const std::string& name) {
  if (fs::exists(directory / kKeyName)) return read_verifier(directory, name);
  if (!chain::is_note_key_name(name))
    return fail(ErrorCode::kInvalid,
                "a new witness needs a --name without spaces and plus, e.g. sister.example.org/w1");
  auto done = make_directory(directory);
  if (done) done = remove_rest(directory);
  if (!done) return tl::unexpected<chain::Error>(done.error());
  const Result<Key> key = make_signing_key();
  if (!key) return tl::unexpected<chain::Error>(key.error());
  const Result<std::string> octets = raw_public_key(key->get());
  const Result<std::string> pem = key_to_pem(key->get());
  if (!octets) return octets;
  if (!pem) return pem;
  const std::string verifier =
      chain::note_verifier_key(name, *chain::PublicKey::from(*octets), NoteKeyKind::kCosignature);
  done = store::make_witness_memory(directory / store::kWitnessDatabaseName, verifier);
  if (done) done = replace_file(directory / kVerifierName, verifier + '\n', Secrecy::kPublic);
  // The last: with it the witness is one.
  if (done) done = write_new_file(directory / kKeyName, *pem, Secrecy::kSecret);
  if (!done) return tl::unexpected<chain::Error>(done.error());
  return verifier;
}

}  // namespace eventchain::tools
