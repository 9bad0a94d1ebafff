#include "chain/note_check.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "chain/checkpoint.h"
#include "chain/keys.h"
#include "chain/log_witness.h"

using namespace eventchain::chain;

namespace {

// Two keys with one id under this name: seeds are SHA-256 of "key 15594" and of "key 18094", found
// by trying.
const std::string kName = "log.example/collision";
constexpr const char* kPems[] = {
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIMPvVdBNVj8yr7Co/ip57beuFSVQSc2ToYSvxbZm8/I2\n"
    "-----END PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIK/PwmUWadUk8at4MWJGFVZ2qrTvXAtZd8IHVDRaRIjq\n"
    "-----END PRIVATE KEY-----\n"};

struct Twins {
  Twins() {
    for (const char* pem : kPems) {
      auto made = Ed25519::from_pem(pem);
      REQUIRE(made.has_value());
      signing.push_back(std::move(*made));
      keys.push_back({kName, signing.back()->public_key()});
    }
    REQUIRE(keys[0].key != keys[1].key);
    REQUIRE(note_key_id(kName, keys[0].key) == note_key_id(kName, keys[1].key));
  }
  // Signed by these, in this order.
  SignedNote note(const std::vector<std::size_t>& by) {
    SignedNote made{kName + "\n7\n" + std::string(43, 'A') + "=\n", {}};
    for (const std::size_t one : by)
      made.signatures.push_back(
          note_signature(kName, keys[one].key, signing[one]->sign(made.text)));
    return made;
  }
  std::vector<std::unique_ptr<Ed25519>> signing;
  std::vector<NoteVerifier> keys;
};

using Fault = NoteVerdict::Fault;

// Voters with these keys, in slots from 0.
MemberSet voters_of(const std::vector<NoteVerifier>& keys) {
  MemberSet set;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    Member member;
    member.slot = Slot{static_cast<std::uint16_t>(i)};
    member.name = "n" + std::to_string(i + 1);
    member.signing_key = keys[i].key;
    member.role = MemberRole::kVoter;
    set.members.push_back(std::move(member));
  }
  return set;
}

}  // namespace

TEST_CASE("a line is of all keys of its name and id, and false only if it holds by none") {
  Twins twins;
  for (const std::vector<std::size_t>& by :
       std::vector<std::vector<std::size_t>>{{0, 1}, {1, 0}, {0}, {1}}) {
    const SignedNote note = twins.note(by);
    NoteCheck check(note);
    const NoteVerdict verdict = check.judge(twins.keys);
    CHECK(verdict.fault == Fault::kNone);
    for (std::size_t key = 0; key < 2; ++key)
      CHECK(verdict.has_signed[key] == (std::ranges::find(by, key) != by.end()));
    // Who knows one of the two alone sees that the other's line is not by it.
    NoteCheck alone(note);
    CHECK((alone.judge({twins.keys[0]}).fault == Fault::kNone) ==
          (by == std::vector<std::size_t>{0}));
  }
  SignedNote spoilt = twins.note({0, 1});
  spoilt.signatures[1].signature[7] ^= 1;
  NoteCheck check(spoilt);
  CHECK(check.judge(twins.keys).fault == Fault::kFalse);
  spoilt.signatures[1].signature.pop_back();
  NoteCheck shorter(spoilt);
  CHECK(shorter.judge(twins.keys).fault == Fault::kFalse);
}

TEST_CASE("voters with one id sign a checkpoint, and a witness takes it") {
  Twins twins;
  const MemberSet voters = voters_of(twins.keys);
  const WitnessedLog log{kName, twins.keys, 2};
  const auto head = parse_log_head(twins.note({0}).text);
  REQUIRE(head.has_value());
  for (const std::vector<std::size_t>& by :
       std::vector<std::vector<std::size_t>>{{0, 1}, {1, 0}, {0}, {1}, {1, 1}}) {
    const bool is_enough = by[0] != by.back();
    const NoteSigners found = signers_of_note(twins.note(by), kName, voters, voters);
    CHECK(found.fault.empty());
    CHECK(found.are_enough() == is_enough);
    REQUIRE(found.voters.size() == (is_enough ? 2 : 1));
    CHECK(found.voters[0].name == (is_enough || by[0] == 0 ? "n1" : "n2"));
    const auto verdict = judge_checkpoint(log, std::nullopt, *head, {0, {}, twins.note(by)});
    CHECK(verdict == (is_enough ? WitnessVerdict::kCosign : WitnessVerdict::kUntrusted));
  }
}

TEST_CASE(
    "more lines under an id than keys that they can be of are refused, the same again is not") {
  Twins twins;
  SignedNote thrice = twins.note({0, 1, 0});
  NoteCheck same(thrice);
  CHECK(same.judge(twins.keys).fault == Fault::kNone);
  CHECK(same.verifications() == 4);
  thrice.signatures[2].signature[9] ^= 1;
  NoteCheck other(thrice);
  CHECK(other.judge(twins.keys).fault == Fault::kTooMany);
  const MemberSet voters = voters_of({twins.keys[0]});
  CHECK(signers_of_note(twins.note({0, 0}), kName, voters, voters).are_enough());
  const NoteSigners found = signers_of_note(twins.note({0, 1}), kName, voters, voters);
  CHECK(found.fault ==
        "there are more lines under the key id of n1 than keys of voters with that id");
}

TEST_CASE("a note costs each line and key once, however many lines and sets of voters there are") {
  Twins twins;
  SignedNote note = twins.note({0});
  for (std::size_t i = 1; i < kNoteSignaturesMax; ++i)
    note.signatures.push_back(note.signatures[0]);
  NoteCheck alike(note);
  CHECK(alike.judge({twins.keys[0]}).fault == Fault::kNone);
  CHECK(alike.verifications() == 1);
  for (std::size_t i = 1; i < kNoteSignaturesMax; ++i)
    note.signatures[i].signature[0] = static_cast<char>(i);
  NoteCheck differing(note);
  CHECK(differing.judge({twins.keys[0]}).fault == Fault::kTooMany);
  CHECK(differing.verifications() == 1);
  const SignedNote sound = twins.note({0, 1});
  NoteCheck many_sets(sound);
  for (int i = 0; i < 1'000; ++i) {
    const MemberSet voters = voters_of(twins.keys);
    CHECK(signers_of_note(many_sets, kName, voters, voters).are_enough());
  }
  CHECK(many_sets.verifications() == 4);
}
