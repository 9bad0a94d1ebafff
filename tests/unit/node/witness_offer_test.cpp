#include "node/witnessing/offer.h"

#include <doctest/doctest.h>

#include "tests/unit/node/witness_fixture.h"

using namespace witness_test;
using node::OfferOutcome;
using Kind = node::OfferOutcome::Kind;
using witnessed_log::letters;
using witnessed_log::Log;

namespace {

OfferOutcome offer(RunningWitness& witness, Log& log, std::uint64_t size, std::uint64_t known = 0) {
  return offer_checkpoint(witness.self, offer_of(log, size), known, log.tree(), witness.post());
}

// A witness that answers what it is told to.
OfferOutcome answered(int status, const std::string& type, const std::string& body,
                      std::uint64_t known = 0) {
  Log log(letters(40, 'a'));
  RunningWitness witness({});
  return offer_checkpoint(witness.self, offer_of(log, 30), known, log.tree(),
                          [&](const std::string&) -> chain::Result<net::http::ClientAnswer> {
                            return net::http::ClientAnswer{status, type, body};
                          });
}

}  // namespace

TEST_CASE("a log and its witness agree from step to step, with one request each") {
  Log log(letters(40, 'a'));
  RunningWitness witness({log.as_witnessed(2)});
  std::uint64_t known = 0;
  const std::uint64_t sizes[] = {1, 5, 5, 17, 40};
  for (const std::uint64_t size : sizes) {
    const auto outcome = offer(witness, log, size, known);
    REQUIRE(outcome.kind == Kind::kCosigned);
    CHECK(chain::verified_cosignature(witness.self, log.note(size).text, outcome.line) ==
          outcome.time);
    known = size;
  }
  CHECK(witness.asked == 5);
}

TEST_CASE("a node that has forgotten what its witness knows asks a second time") {
  Log log(letters(40, 'a'));
  RunningWitness witness({log.as_witnessed(2)});
  REQUIRE(offer(witness, log, 17).kind == Kind::kCosigned);
  CHECK(offer(witness, log, 40, 0).kind == Kind::kCosigned);
  CHECK(witness.asked == 3);
  CHECK(offer(witness, log, 40, 40).kind == Kind::kCosigned);
  CHECK(witness.asked == 4);
}

TEST_CASE("a witness that knows less than it has cosigned is found out") {
  Log log(letters(40, 'a'));
  RunningWitness witness({log.as_witnessed(2)});
  REQUIRE(offer(witness, log, 17).kind == Kind::kCosigned);
  CHECK_FALSE(offer(witness, log, 30, 0).has_forgotten);
  const auto old_copy = witness.memory->kept;
  REQUIRE(offer(witness, log, 35, 30).kind == Kind::kCosigned);
  witness.memory->kept = old_copy;
  const auto outcome = offer(witness, log, 40, 35);
  CHECK(outcome.kind == Kind::kCosigned);
  CHECK(outcome.has_forgotten);
}

TEST_CASE("a witness that another node has shown more is no alarm by itself") {
  Log log(letters(40, 'a'));
  RunningWitness witness({log.as_witnessed(2)});
  REQUIRE(offer(witness, log, 40).kind == Kind::kCosigned);
  for (const std::uint64_t known : {std::uint64_t{0}, std::uint64_t{30}, std::uint64_t{40}}) {
    const auto outcome = offer(witness, log, 30, known);
    CHECK(outcome.kind == Kind::kOvertaken);
    CHECK(outcome.known_size == 40);
  }
}

TEST_CASE("another history is a contradiction, at the same size, beyond and before the fork") {
  Log log(letters(40, 'a'));
  Log rewritten(letters(20, 'a') + letters(20, 'b'));
  RunningWitness witness({log.as_witnessed(2)});
  REQUIRE(offer(witness, log, 30).kind == Kind::kCosigned);
  for (const std::uint64_t known : {std::uint64_t{0}, std::uint64_t{25}, std::uint64_t{30}})
    for (const std::uint64_t size : {std::uint64_t{30}, std::uint64_t{31}, std::uint64_t{40}}) {
      const auto outcome = offer(witness, rewritten, size, known);
      INFO("known " << known << " size " << size << ": " << outcome.why);
      CHECK(outcome.kind == Kind::kContradicts);
      CHECK(outcome.known_size == 30);
    }
  // A log that was cut below what was cosigned.
  CHECK(offer(witness, rewritten, 15).kind == Kind::kOvertaken);
}

TEST_CASE("a node whose own tree is damaged sends nothing") {
  Log log(letters(40, 'a'));
  Log other(letters(20, 'a') + letters(20, 'b'));
  RunningWitness witness({log.as_witnessed(2)});
  const auto outcome =
      offer_checkpoint(witness.self, offer_of(log, 40), 30, other.tree(), witness.post());
  CHECK(outcome.kind == Kind::kDamaged);
  CHECK(witness.asked == 0);
  const auto unreadable = offer_checkpoint(
      witness.self, offer_of(log, 40), 30,
      [](std::uint8_t, std::uint64_t) -> chain::Result<chain::Hash> {
        return chain::fail(chain::ErrorCode::kIo, "no disk");
      },
      witness.post());
  CHECK(unreadable.kind == Kind::kDamaged);
  CHECK(unreadable.why == "no disk");
}

TEST_CASE("what is no cosignature by the configured key does not count") {
  Log log(letters(40, 'a'));
  RunningWitness witness({log.as_witnessed(2)});
  RunningWitness stranger({log.as_witnessed(2)}, 1);
  const auto outcome =
      offer_checkpoint(witness.self, offer_of(log, 30), 0, log.tree(), stranger.post());
  CHECK(outcome.kind == Kind::kRefused);
  CHECK(outcome.why.find("verifier key") != std::string::npos);
  for (const char* body :
       {"", "garbage", "\n", "\xe2\x80\x94 a AAAAAAAA\n", "a\n\n\xe2\x80\x94 a AAAAAAAA\n"})
    CHECK(answered(200, "text/plain", body).kind == Kind::kRefused);
}

TEST_CASE("answers are told apart by who has to do something") {
  CHECK(answered(404, "text/plain", "no").why.find("does not look after") != std::string::npos);
  CHECK(answered(403, "text/plain", "no").why.find("keys of the present voters") !=
        std::string::npos);
  CHECK(answered(400, "text/plain", "why\nmore").why == "it answers 400 why");
  CHECK(answered(400, "text/plain", "a\xff\xc3\x1b[2J\r\nmore").why ==
        "it answers 400 a\\xff\\xc3\\x1b[2J\\x0d");
  // Not half a character at its end, either.
  const auto cut = answered(400, "text/plain", std::string(159, 'a') + "\xc3\xa9").why;
  CHECK(cut.ends_with("a\\xc3"));
  const int later[] = {408, 429, 500, 503};
  for (const int status : later) CHECK(answered(status, "text/plain", "").kind == Kind::kSilent);
  const int never[] = {301, 401, 405, 413, 204, 418};
  for (const int status : never) CHECK(answered(status, "text/plain", "").kind == Kind::kRefused);
  // Nothing was claimed that could be unproven.
  CHECK(answered(422, "text/plain", "", 0).kind == Kind::kRefused);
  CHECK(answered(422, "text/plain", "", 20).kind == Kind::kContradicts);
  const std::string type = "text/x.tlog.size";
  CHECK(answered(409, type, "31\n").kind == Kind::kOvertaken);
  CHECK(answered(409, "text/plain", "31\n").kind == Kind::kRefused);
  CHECK(answered(409, type, "x\n").kind == Kind::kRefused);
  CHECK(answered(409, type, "0\n").kind == Kind::kRefused);
  CHECK(answered(409, type, "30\n", 30).kind == Kind::kContradicts);
  // It names the size that it was just told not to know.
  CHECK(answered(409, type, "7\n").kind == Kind::kRefused);
}

TEST_CASE("a conflict without a size is a witness with another history, or none") {
  // Whatever stands between: it answers so to everything.
  const std::string page = "<html>conflict";
  for (const std::uint64_t known : {std::uint64_t{0}, std::uint64_t{20}, std::uint64_t{30}}) {
    const auto outcome = answered(409, "text/html", page, known);
    CHECK(outcome.kind == Kind::kRefused);
    CHECK(outcome.why.find("what stands between") != std::string::npos);
  }
  // A witness that names its size where it must, and not where the roots differ.
  Log log(letters(40, 'a'));
  Log rewritten(letters(20, 'a') + letters(20, 'b'));
  RunningWitness witness({log.as_witnessed(2)});
  REQUIRE(offer(witness, log, 30).kind == Kind::kCosigned);
  const auto terse = [&](const std::string& body) -> chain::Result<net::http::ClientAnswer> {
    auto answer = witness.post()(body);
    if (body.starts_with("old 30\n") && answer->status == 409) *answer = {409, "", ""};
    return answer;
  };
  for (const std::uint64_t known : {std::uint64_t{0}, std::uint64_t{25}, std::uint64_t{30}}) {
    const auto outcome =
        offer_checkpoint(witness.self, offer_of(rewritten, 30), known, rewritten.tree(), terse);
    CHECK(outcome.kind == Kind::kContradicts);
    CHECK(outcome.known_size == 30);
    CHECK(offer_checkpoint(witness.self, offer_of(log, 30), known, log.tree(), terse).kind ==
          Kind::kCosigned);
  }
  // What stands between answers once for the witness.
  int asked = 0;
  const auto hiccup = [&](const std::string& body) -> chain::Result<net::http::ClientAnswer> {
    if (++asked == 1) return net::http::ClientAnswer{409, "text/html", page};
    return witness.post()(body);
  };
  const auto outcome = offer_checkpoint(witness.self, offer_of(log, 30), 30, log.tree(), hiccup);
  CHECK(outcome.kind == Kind::kCosigned);
  CHECK_FALSE(outcome.has_forgotten);
  CHECK(asked == 3);
}

TEST_CASE("no answer is no fault of the log") {
  Log log(letters(40, 'a'));
  RunningWitness witness({});
  const auto outcome =
      offer_checkpoint(witness.self, offer_of(log, 30), 0, log.tree(),
                       [](const std::string&) -> chain::Result<net::http::ClientAnswer> {
                         return chain::fail(chain::ErrorCode::kUnavailable, "w1: refused");
                       });
  CHECK(outcome.kind == Kind::kSilent);
  CHECK(outcome.why == "w1: refused");
}
