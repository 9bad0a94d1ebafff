#include "chain/note.h"

#include <doctest/doctest.h>

#include "chain/base64.h"
#include "chain/keys.h"
#include "chain_fixture.h"

using namespace eventchain::chain;
using namespace eventchain::chain::testing;

namespace {

// The example in the documentation of golang.org/x/mod/sumdb/note.
constexpr const char* kGoKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const std::string kGoNote =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\xe2\x80\x94 PeterNeumann "
    "x08go/ZJkuBS9UG/"
    "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

bool is_signed_by(const SignedNote& note, const NoteVerifier& who) {
  for (const NoteSignature& one : note.signatures) {
    const auto signature = Signature::from(one.signature);
    if (one.name == who.name && one.key == note_key_id(who.name, who.key) && signature &&
        verify_ed25519(who.key, note.text, *signature))
      return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a note that Go's library signed is read, checked and written as it is") {
  const auto who = parse_note_verifier_key(kGoKey);
  REQUIRE(who.has_value());
  CHECK(who->name == "PeterNeumann");
  CHECK(note_verifier_key(who->name, who->key) == kGoKey);
  auto note = decode_note(kGoNote);
  REQUIRE(note.has_value());
  CHECK(note->text.ends_with("what your problem is.\n"));
  CHECK(is_signed_by(*note, *who));
  CHECK(encode_note(*note) == kGoNote);
  note->text.front() = 'i';
  CHECK_FALSE(is_signed_by(*note, *who));
}

TEST_CASE("what is accepted is written to the same octets, and cut or damaged notes never crash") {
  for (std::size_t length = 0; length < kGoNote.size(); ++length)
    CHECK_FALSE(decode_note(kGoNote.substr(0, length)).has_value());
  std::size_t accepted = 0;
  for (std::size_t at = 0; at < kGoNote.size(); ++at) {
    for (const char other : {'\n', ' ', '+', 'A', '=', '\0', '\xff'}) {
      std::string damaged = kGoNote;
      damaged[at] = other;
      const auto note = decode_note(damaged);
      if (!note) continue;
      ++accepted;
      CHECK(encode_note(*note) == damaged);
      if (damaged != kGoNote) CHECK_FALSE(is_signed_by(*note, *parse_note_verifier_key(kGoKey)));
    }
  }
  CHECK(accepted > 300);  // damage to the text is for the signature to find
}

TEST_CASE("the last empty line ends the text") {
  const SignedNote note{"one\n\n\xe2\x80\x94 two\n",
                        {{"name", NoteKeyId{{1, 2, 3, 4}}, Bytes(64, 's')}}};
  CHECK(decode_note(encode_note(note)) == note);
}

TEST_CASE("notes are bounded, and what is wrong with them is said") {
  const auto refuses = [](const std::string& octets, const char* why) {
    const auto note = decode_note(octets);
    REQUIRE_FALSE(note.has_value());
    INFO(note.error().message);
    CHECK(note.error().message.find(why) != std::string::npos);
  };
  const std::string line = kGoNote.substr(kGoNote.rfind("\n\n") + 2);
  refuses(std::string(kNoteBytesMax + 1, 'a'), "mebibyte");
  refuses("text\n", "no empty line");
  refuses("text\n\n", "nobody signed");
  refuses("text\n\nname AAAAAAA=\n", "no dash");
  refuses("text\n\n\xe2\x80\x94 name\n", "no name");
  refuses("text\n\n\xe2\x80\x94 name AAAA\n", "no base64");
  refuses("text\r\n\n" + line, "no text");
  std::string many = "text\n\n";
  for (std::size_t i = 0; i < kNoteSignaturesMax; ++i) many += line;
  CHECK(decode_note(many).has_value());
  refuses(many + line, "a hundred");
}

TEST_CASE("a verifier key must fit its name and id") {
  for (const char* text : {"", "PeterNeumann", "PeterNeumann+c74f20a3",
                           "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                           "PeterNeumanN+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                           "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                           "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TX",
                           "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                           "PeterNeumann+c74f20a3+ARpc"}) {
    INFO(text);
    CHECK_FALSE(parse_note_verifier_key(text).has_value());
  }
}
