#include "node/witnessing/cosigner.h"

#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <thread>

#include "tests/unit/node/witness_fixture.h"

using namespace witness_test;
using witnessed_log::kOrigin;
using witnessed_log::letters;
using witnessed_log::Log;

namespace {

// The answer's cosignature, verified.
bool is_cosigned(const RunningWitness& witness, const chain::AddCheckpoint& request,
                 const net::http::Response& answer) {
  const auto note = chain::decode_note(request.checkpoint.text + "\n" + answer.body);
  return answer.status == 200 && note && note->signatures.size() == 1 &&
         chain::verified_cosignature(witness.self, request.checkpoint.text, note->signatures[0]) ==
             chain::UnixSeconds{1'700'000'000};
}

}  // namespace

TEST_CASE("a witness cosigns a log that grows, and has kept each head before") {
  Log log(letters(40, 'a'));
  RunningWitness witness({log.as_witnessed(2)});
  std::uint64_t last = 0;
  const std::uint64_t sizes[] = {5, 5, 17, 40};
  for (const std::uint64_t size : sizes) {
    const auto request = log.request(last, size);
    const auto answer = witness.ask(request);
    CHECK(is_cosigned(witness, request, answer));
    CHECK(answer.content_type.starts_with("text/plain"));
    CHECK(witness.memory->kept.at(kOrigin).head == log.head(size));
    last = size;
  }
  CHECK(witness.memory->writes == 3);  // what it has cosigned it cosigns again without one
  const auto report = witness.cosigner->report();
  CHECK(report.cosigned == 4);
  CHECK(report.logs.at(0).size == 40);
}

TEST_CASE("every refusal has the protocol's status") {
  Log log(letters(40, 'a'));
  Log forged(letters(20, 'a') + letters(20, 'b'));
  RunningWitness witness({log.as_witnessed(2)});
  REQUIRE(witness.ask(log.request(0, 30)).status == 200);
  CHECK(witness.ask(std::string("garbage")).status == 400);
  CHECK(witness.ask(std::string(chain::kAddCheckpointBytesMax + 1, 'a')).status == 413);
  auto stranger = log.request(30, 40);
  stranger.checkpoint.text = "log.example/b" + stranger.checkpoint.text.substr(kOrigin.size());
  CHECK(witness.ask(stranger).status == 404);
  CHECK(witness.ask(log.request(30, 40, 1)).status == 403);
  auto beyond = log.request(0, 20);
  beyond.old_size = 30;
  CHECK(witness.ask(beyond).status == 400);
  const auto other_size = witness.ask(log.request(0, 40));
  CHECK(other_size.status == 409);
  CHECK(other_size.content_type == "text/x.tlog.size");
  CHECK(other_size.body == "30\n");
  CHECK(witness.ask(forged.request(30, 40)).status == 422);
  CHECK(witness.evidence.empty());
  const auto other_root = witness.ask(forged.request(30, 30));
  CHECK(other_root.status == 409);
  CHECK(other_root.body == "30\n");
  // Both signed heads, so that whoever reads it can verify what is claimed.
  REQUIRE(witness.evidence.size() == 1);
  CHECK(witness.evidence[0].find(encode_note(log.note(30))) != std::string::npos);
  CHECK(witness.evidence[0].find(encode_note(forged.note(30))) != std::string::npos);
  CHECK(witness.lines.size() == 3);
  CHECK(witness.memory->kept.at(kOrigin).head == log.head(30));
  CHECK(witness.memory->writes == 1);
  const auto report = witness.cosigner->report();
  CHECK(report.contradictions == 1);
  CHECK(report.unproven == 1);
  CHECK(report.refused == 6);
}

TEST_CASE("whoever has a true checkpoint cannot raise an alarm by a proof that none needs") {
  Log log(letters(40, 'a'));
  RunningWitness witness({log.as_witnessed(2)});
  auto from_nothing = log.request(0, 30);
  from_nothing.proof = log.request(20, 30).proof;
  CHECK(witness.ask(from_nothing).status == 422);
  REQUIRE(witness.ask(log.request(0, 30)).status == 200);
  auto same = log.request(30, 30);
  same.proof = from_nothing.proof;
  CHECK(witness.ask(same).status == 422);
  CHECK(witness.lines.empty());
  CHECK(witness.cosigner->report().unproven == 0);
  CHECK(witness.cosigner->report().refused == 2);
}

TEST_CASE("of a checkpoint's lines a witness vouches for the first three, and signs all") {
  Log log(letters(40, 'a'));
  RunningWitness witness({log.as_witnessed(2)});
  std::optional<std::string> first;
  for (const char* block : {"height 7\nblock 1\n", "height 7\nblock 2\n"}) {
    auto request = log.request(first ? 30 : 0, 30);
    chain::SignedNote& note = request.checkpoint;
    note.text += block;
    note.signatures.clear();
    for (const char* pem : {witnessed_log::kPems[0], witnessed_log::kPems[1]}) {
      const auto key = chain::Ed25519::from_pem(pem);
      REQUIRE(key.has_value());
      note.signatures.push_back(
          note_signature(kOrigin, (*key)->public_key(), (*key)->sign(note.text)));
    }
    const auto answer = witness.ask(request);
    CHECK(is_cosigned(witness, request, answer));
    if (first) CHECK(answer.body != *first);
    first = answer.body;
  }
  CHECK(witness.lines.empty());
}

TEST_CASE(
    "evidence that could not be kept is kept when it is shown again, and told each time once") {
  Log log(letters(40, 'a'));
  Log forged(letters(20, 'a') + letters(20, 'b'));
  RunningWitness witness({log.as_witnessed(2)});
  REQUIRE(witness.ask(log.request(0, 30)).status == 200);
  witness.is_full = true;
  for (int i = 0; i < 3; ++i) CHECK(witness.ask(forged.request(30, 30)).status == 409);
  CHECK(witness.evidence.empty());
  REQUIRE(witness.lines.size() == 2);
  CHECK(witness.lines[1].find("is not kept, and will be if") != std::string::npos);
  witness.is_full = false;
  for (int i = 0; i < 3; ++i) CHECK(witness.ask(forged.request(30, 30)).status == 409);
  CHECK(witness.evidence.size() == 1);
  CHECK(witness.lines.size() == 3);
}

TEST_CASE("an alarm is told once for each head, and taken back if it was a wrong proof") {
  Log log(letters(40, 'a'));
  Log forged(letters(20, 'a') + letters(20, 'b'));
  RunningWitness witness({log.as_witnessed(2)});
  REQUIRE(witness.ask(log.request(0, 30)).status == 200);
  auto wrong = log.request(30, 40);
  wrong.proof.pop_back();
  for (int i = 0; i < 3; ++i) {
    CHECK(witness.ask(wrong).status == 422);
    CHECK(witness.ask(forged.request(30, 30)).status == 409);
  }
  CHECK(witness.lines.size() == 3);  // one of them says where the evidence is
  CHECK(witness.evidence.size() == 1);
  CHECK(witness.ask(forged.request(30, 35)).status == 422);
  CHECK(witness.lines.size() == 4);
  CHECK(witness.cosigner->report().unproven == 2);
  CHECK(witness.cosigner->report().contradictions == 1);
  CHECK(witness.cosigner->report().refused == 4);
  REQUIRE(witness.ask(log.request(30, 40)).status == 200);
  REQUIRE(witness.lines.size() == 5);
  CHECK(witness.lines[4].find("the proof before was wrong") != std::string::npos);
  CHECK(witness.ask(log.request(40, 40)).status == 200);
  CHECK(witness.lines.size() == 5);
}

TEST_CASE("a witness that was started again knows what it has cosigned") {
  Log log(letters(40, 'a'));
  Log forged(letters(20, 'a') + letters(20, 'b'));
  const auto memory = std::make_shared<FakeWitnessMemory>();
  REQUIRE(RunningWitness({log.as_witnessed(2)}, 0, memory).ask(log.request(0, 30)).status == 200);
  RunningWitness again({log.as_witnessed(2)}, 0, memory);
  CHECK(again.cosigner->report().logs.at(0).size == 30);
  CHECK(again.ask(forged.request(0, 30)).status == 409);
  CHECK(again.ask(forged.request(30, 40)).status == 422);
  CHECK(again.ask(log.request(0, 20)).body == "30\n");
  CHECK(again.ask(log.request(30, 40)).status == 200);
}

TEST_CASE("after its disk failed a witness cosigns nothing more") {
  Log log(letters(40, 'a'));
  RunningWitness witness({log.as_witnessed(2)});
  REQUIRE(witness.ask(log.request(0, 30)).status == 200);
  witness.memory->fails = true;
  const auto failed = witness.ask(log.request(30, 40));
  CHECK(failed.status == 503);
  CHECK(failed.body.find("\xe2\x80\x94") == std::string::npos);
  witness.memory->fails = false;
  CHECK(witness.ask(log.request(30, 40)).status == 503);
  CHECK(witness.ask(log.request(30, 30)).status == 503);
  CHECK(witness.cosigner->report().failure == "the disk is full");
}

TEST_CASE("of many requests at once, from two histories, one history is cosigned") {
  Log log(letters(40, 'a'));
  Log forged(letters(20, 'a') + letters(20, 'b'));
  for (std::uint64_t size = 21; size <= 40; ++size) {
    RunningWitness witness({log.as_witnessed(2)});
    REQUIRE(witness.ask(log.request(0, 20)).status == 200);
    std::atomic<int> honest{0};
    std::atomic<int> false_ones{0};
    const std::string bodies[] = {chain::encode_add_checkpoint(log.request(20, size)),
                                  chain::encode_add_checkpoint(forged.request(20, size))};
    {
      std::vector<std::jthread> crowd;
      for (int i = 0; i < 8; ++i)
        crowd.emplace_back([&, i] {
          const bool is_false = i % 2 == 1;
          if (witness.ask(bodies[is_false ? 1 : 0]).status == 200)
            ++(is_false ? false_ones : honest);
        });
    }
    // Whoever came first; the others asked for a size that is not the last any more.
    CHECK(honest + false_ones == 1);
  }
}

TEST_CASE("stopping a witness forgets who waits") {
  Log log(letters(9, 'a'));
  RunningWitness witness({log.as_witnessed(2)});
  witness.cosigner->stop();
  bool is_answered = false;
  witness.cosigner->add_checkpoint("old 0\n", [&](net::http::Response) { is_answered = true; });
  CHECK_FALSE(is_answered);
  witness.cosigner->stop();
}
