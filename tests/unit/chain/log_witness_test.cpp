#include "chain/log_witness.h"

#include <doctest/doctest.h>

#include "chain/base64.h"
#include "tests/unit/witnessed_log.h"

using namespace eventchain::chain;
using witnessed_log::kOrigin;
using witnessed_log::letters;
using witnessed_log::Log;

namespace {

WitnessVerdict judge(const WitnessedLog& log, const std::optional<LogHead>& last,
                     const AddCheckpoint& request) {
  const auto head = parse_log_head(request.checkpoint.text);
  REQUIRE(head.has_value());
  return judge_checkpoint(log, last, *head, request);
}

}  // namespace

TEST_CASE("a request is written and read as it is") {
  Log log(letters(40, 'a'));
  for (const AddCheckpoint& request : {log.request(0, 0), log.request(0, 7), log.request(7, 7),
                                       log.request(7, 33), log.request(32, 40, 1)}) {
    const std::string body = encode_add_checkpoint(request);
    const auto read = parse_add_checkpoint(body);
    REQUIRE(read.has_value());
    CHECK(*read == request);
    CHECK(encode_add_checkpoint(*read) == body);
  }
  const std::string body = encode_add_checkpoint(log.request(7, 33));
  CHECK(body.starts_with("old 7\n"));
  CHECK(body.find("\n\nlog.example/a\n33\n") != std::string::npos);
}

TEST_CASE("what is no request is refused with what is wrong, and never crashes") {
  Log log(letters(40, 'a'));
  const std::string body = encode_add_checkpoint(log.request(7, 33));
  std::size_t shorter = 0;
  for (std::size_t length = 0; length < body.size(); ++length)
    if (parse_add_checkpoint(body.substr(0, length))) ++shorter;
  CHECK(shorter == 2);  // without the last signature, and the one before
  for (std::size_t at = 0; at < body.size(); ++at)
    for (const char other : {'\n', ' ', '0', '=', '\0', '\xff'}) {
      std::string damaged = body;
      damaged[at] = other;
      const auto read = parse_add_checkpoint(damaged);
      if (read) CHECK(encode_add_checkpoint(*read) == damaged);
    }
  const auto refuses = [](const std::string& text, const char* why) {
    const auto read = parse_add_checkpoint(text);
    REQUIRE_FALSE(read.has_value());
    INFO(read.error().message);
    CHECK(read.error().message.find(why) != std::string::npos);
  };
  const std::string note = encode_note(log.note(33));
  for (const char* first : {"", "old", "old \n", "old 07\n", "old -1\n", "old 7 \n", "new 7\n",
                            "old 18446744073709551616\n"})
    refuses(first + ("\n" + note), "first line");
  refuses("old 7\nAAAA\n\n" + note, "no hash");
  refuses("old 7\n", "no empty line");
  refuses("old 7\n\n", "damaged");
  std::string many = "old 7\n";
  for (std::size_t i = 0; i < kConsistencyHashesMax; ++i) many += to_base64(Bytes(32, 'h')) + '\n';
  CHECK(parse_add_checkpoint(many + "\n" + note).has_value());
  refuses(many + to_base64(Bytes(32, 'h')) + "\n\n" + note, "63 hashes");
  refuses(std::string(kAddCheckpointBytesMax + 1, 'a'), "256 KiB");
}

TEST_CASE("the size that a witness knows is a number and a line feed") {
  CHECK(encode_witnessed_size(20852014) == "20852014\n");
  CHECK(parse_witnessed_size("20852014\n") == 20852014U);
  CHECK(parse_witnessed_size("0\n") == 0U);
  for (const char* text :
       {"", "7", "07\n", "7\n\n", " 7\n", "-7\n", "7 \n", "18446744073709551616\n", "7\n8\n"})
    CHECK_FALSE(parse_witnessed_size(text).has_value());
}

TEST_CASE("a log that grows is cosigned from step to step") {
  Log log(letters(40, 'a'));
  const WitnessedLog witnessed = log.as_witnessed(2);
  std::optional<LogHead> last;
  const std::uint64_t sizes[] = {0, 1, 2, 7, 7, 8, 31, 40, 40};
  for (const std::uint64_t size : sizes) {
    CHECK(judge(witnessed, last, log.request(last ? last->size : 0, size)) ==
          WitnessVerdict::kCosign);
    last = log.head(size);
  }
}

TEST_CASE("neither a shorter log nor another history is cosigned, whatever is claimed of it") {
  Log log(letters(40, 'a'));
  Log forged(letters(20, 'a') + letters(20, 'b'));
  const WitnessedLog witnessed = log.as_witnessed(2);
  const LogHead last = log.head(30);
  std::size_t refused = 0;
  for (std::uint64_t size = 0; size <= 40; ++size)
    for (std::uint64_t old_size = 0; old_size <= size; ++old_size)
      for (Log* one : {&log, &forged}) {
        const WitnessVerdict verdict = judge(witnessed, last, one->request(old_size, size));
        const bool is_right = one == &log && old_size == 30;
        CHECK((verdict == WitnessVerdict::kCosign) == is_right);
        refused += is_right ? 0 : 1;
      }
  CHECK(refused == 2 * 41 * 42 / 2 - 11);
  CHECK(judge(witnessed, last, forged.request(30, 30)) == WitnessVerdict::kOtherRoot);
  CHECK(judge(witnessed, last, forged.request(30, 40)) == WitnessVerdict::kUnproven);
  CHECK(judge(witnessed, last, log.request(29, 40)) == WitnessVerdict::kOtherSize);
  CHECK(judge(witnessed, last, log.request(0, 20)) == WitnessVerdict::kOtherSize);
  AddCheckpoint beyond = log.request(20, 20);
  beyond.old_size = 30;
  CHECK(judge(witnessed, last, beyond) == WitnessVerdict::kMalformed);
  AddCheckpoint longer = log.request(30, 40);
  longer.proof.push_back(longer.proof.back());
  CHECK(judge(witnessed, last, longer) == WitnessVerdict::kUnproven);
  AddCheckpoint needless = log.request(0, 40);
  needless.proof = log.request(30, 40).proof;
  CHECK(judge(witnessed, std::nullopt, needless) == WitnessVerdict::kNeedlessProof);
  AddCheckpoint same = log.request(30, 30);
  same.proof = needless.proof;
  CHECK(judge(witnessed, last, same) == WitnessVerdict::kNeedlessProof);
  // That the root is another one is told all the same.
  AddCheckpoint other_root = forged.request(30, 30);
  other_root.proof = needless.proof;
  CHECK(judge(witnessed, last, other_root) == WitnessVerdict::kOtherRoot);
}

TEST_CASE("so many of the log's own keys must have signed, each rightly") {
  Log log(letters(40, 'a'));
  CHECK(judge(log.as_witnessed(2), std::nullopt, log.request(0, 7, 2)) == WitnessVerdict::kCosign);
  CHECK(judge(log.as_witnessed(3), std::nullopt, log.request(0, 7, 2)) ==
        WitnessVerdict::kUntrusted);
  AddCheckpoint twice = log.request(0, 7, 1);
  twice.checkpoint.signatures.push_back(twice.checkpoint.signatures[0]);
  CHECK(judge(log.as_witnessed(2), std::nullopt, twice) == WitnessVerdict::kUntrusted);
  AddCheckpoint with_stranger = log.request(0, 7, 2);
  with_stranger.checkpoint.signatures.push_back({"stranger", NoteKeyId{{1}}, Bytes(64, 's')});
  CHECK(judge(log.as_witnessed(2), std::nullopt, with_stranger) == WitnessVerdict::kCosign);
  AddCheckpoint spoiled = log.request(0, 7, 3);
  spoiled.checkpoint.signatures[2].signature[5] ^= 1;
  CHECK(judge(log.as_witnessed(2), std::nullopt, spoiled) == WitnessVerdict::kUntrusted);
  AddCheckpoint other_text = log.request(0, 7, 3);
  other_text.checkpoint.text += "more\n";
  CHECK(judge(log.as_witnessed(2), std::nullopt, other_text) == WitnessVerdict::kUntrusted);
}

TEST_CASE("a head is three lines, and what follows is the log's") {
  Log log(letters(9, 'a'));
  const std::string text = log.note(9).text;
  CHECK(parse_log_head(text + "height 7\nmore\n") == log.head(9));
  for (const std::string& bad :
       {std::string(), std::string("\n9\n"), kOrigin + "\n9\n", kOrigin + "\n09\n" + text,
        kOrigin + "\n9\nAAAA\n", "\n9\n" + to_base64(Bytes(32, 'h')) + "\n",
        std::string(1025, 'o') + text})
    CHECK_FALSE(parse_log_head(bad).has_value());
}
