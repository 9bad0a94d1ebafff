#include "node/witnessing/witness_board.h"

#include <doctest/doctest.h>

#include "tests/unit/node/witness_fixture.h"

using namespace witness_test;
using namespace std::chrono_literals;
using node::OfferOutcome;
using node::OwnLog;
using node::WitnessBoard;
using node::WitnessCondition;
using Kind = node::OfferOutcome::Kind;
using witnessed_log::letters;
using witnessed_log::Log;

namespace {

// Two witnesses, of which `quorum` are needed, and a memory.
struct Crew {
  explicit Crew(std::size_t quorum)
      : first({log.as_witnessed(2)}, 0), second({log.as_witnessed(2)}, 1), needed(quorum) {
    restart();
  }
  void restart() {
    board = std::make_unique<WitnessBoard>(
        std::vector<node::WitnessName>{{first.self, "http://w1"}, {second.self, "http://w2"}},
        needed);
    problems = board->restore(cosigned, witnessed);
  }
  std::uint64_t begin(std::uint64_t size) { return board->begin(offer_of(log, size)).number; }
  // As the node does it: what counts is kept before.
  void cosign(std::uint64_t round, std::uint64_t size, std::size_t which, std::int64_t now = 1) {
    RunningWitness& witness = which == 0 ? first : second;
    const auto outcome = offer_checkpoint(witness.self, offer_of(log, size),
                                          board->known_size(which), log.tree(), witness.post());
    REQUIRE(outcome.kind == Kind::kCosigned);
    auto kept = board->prepare(round, offer_of(log, size), which, outcome, chain::UnixMillis{now});
    std::erase_if(cosigned, [&](const auto& one) { return one.witness == kept.cosigned.witness; });
    cosigned.push_back(kept.cosigned);
    if (kept.witnessed) witnessed = kept.witnessed;
    board->take_cosigned(round, which, outcome, kept);
  }
  node::Notice fail(std::size_t which, Kind kind, std::uint64_t known = 0) {
    OfferOutcome outcome;
    outcome.kind = kind;
    outcome.why = "why";
    outcome.known_size = known;
    return board->take_failed(which, outcome);
  }
  // The cluster is asked now, and that is what it says.
  std::vector<node::Notice> judge(OwnLog own) {
    return board->judge_claims(own, board->claims_made());
  }
  WitnessCondition condition(std::size_t which = 0) {
    return board->report().witnesses.at(which).condition;
  }
  // How many witnesses' lines hold under the witnessed note.
  std::size_t lines_of_note() {
    const auto note = chain::decode_note(board->witnessed_note().value_or(""));
    if (!note) return 0;
    std::size_t sound = 0;
    for (const auto& line : note->signatures)
      for (const auto* witness : {&first, &second})
        sound += chain::verified_cosignature(witness->self, note->text, line) ? 1U : 0U;
    return sound;
  }

  Log log{letters(40, 'a')};
  RunningWitness first, second;
  const std::size_t needed;
  std::vector<store::CosignatureMemory::Cosigned> cosigned;
  std::optional<store::CosignatureMemory::Witnessed> witnessed;
  std::unique_ptr<WitnessBoard> board;
  std::vector<std::string> problems;  // of what was kept, at the last start
};

}  // namespace

TEST_CASE("a checkpoint is witnessed when enough have cosigned the same one") {
  Crew crew(2);
  const auto round = crew.begin(10);
  crew.cosign(round, 10, 0);
  CHECK(crew.board->witnessed_size() == 0);
  CHECK_FALSE(crew.board->witnessed_note().has_value());
  crew.cosign(round, 10, 1, 7);
  CHECK(crew.board->witnessed_size() == 10);
  CHECK(crew.lines_of_note() == 2);
  const auto report = crew.board->report();
  CHECK(report.seen == chain::UnixMillis{7});
  CHECK(report.witnesses.at(1).condition == WitnessCondition::kCosigns);
  CHECK(report.witnesses.at(1).size == 10);
}

TEST_CASE("cosignatures of two checkpoints do not add up, and late ones count for their own") {
  Crew crew(2);
  const auto early = crew.begin(10);
  crew.cosign(early, 10, 0);
  const auto later = crew.begin(20);
  crew.cosign(later, 20, 0);
  CHECK(crew.board->witnessed_size() == 0);
  crew.cosign(early, 10, 1);
  CHECK(crew.board->witnessed_size() == 10);
  crew.cosign(later, 20, 1);
  CHECK(crew.board->witnessed_size() == 20);
  CHECK(crew.lines_of_note() == 2);
}

TEST_CASE("a slow witness never takes back what a newer round has") {
  Crew crew(1);
  const auto early = crew.begin(10);
  const auto later = crew.begin(20);
  crew.cosign(later, 20, 0);
  crew.cosign(early, 10, 1);
  CHECK(crew.board->witnessed_size() == 20);
  CHECK(crew.lines_of_note() == 1);
  CHECK(crew.board->report().witnesses.at(1).size == 10);
}

TEST_CASE("a further cosignature joins the note, and does not make it newer") {
  Crew crew(1);
  const auto round = crew.begin(10);
  crew.cosign(round, 10, 0, 5);
  crew.cosign(round, 10, 1, 9);
  CHECK(crew.lines_of_note() == 2);
  CHECK(crew.board->report().seen == chain::UnixMillis{5});
  CHECK(crew.board->cosignatures_on(crew.log.note(10).text).size() == 2);
  CHECK(crew.board->cosignatures_on(crew.log.note(11).text).empty());
}

TEST_CASE("a round that nobody remembers still tells what the witness knows") {
  Crew crew(1);
  const auto old = crew.begin(10);
  for (int i = 0; i < 30; ++i) crew.begin(20);
  crew.cosign(old, 10, 0);
  CHECK(crew.board->witnessed_size() == 0);
  CHECK(crew.board->known_size(0) == 10);
}

TEST_CASE("what was witnessed before a restart is, once the log is seen to have it") {
  Crew crew(2);
  const auto round = crew.begin(10);
  crew.cosign(round, 10, 0);
  crew.cosign(round, 10, 1, 7);
  crew.restart();
  CHECK(crew.board->witnessed_size() == 0);
  CHECK(crew.board->known_size(0) == 10);
  REQUIRE(crew.board->unconfirmed() == crew.log.head(10));
  crew.board->confirm(true);
  CHECK(crew.board->witnessed_size() == 10);
  CHECK(crew.lines_of_note() == 2);
  CHECK(crew.board->report().seen == chain::UnixMillis{7});
  CHECK(crew.board->report().alarm.empty());
  CHECK(crew.board->cosignatures_on(crew.log.note(10).text).size() == 2);
  CHECK(crew.board->cosignatures_on(crew.log.note(11).text).empty());
}

TEST_CASE("a log that is not the witnessed one is an alarm, and what was witnessed stays kept") {
  Crew crew(1);
  crew.cosign(crew.begin(10), 10, 0);
  crew.restart();
  crew.board->confirm(false);
  CHECK(crew.board->witnessed_size() == 0);
  CHECK(crew.board->report().alarm.find("WITNESS.md") != std::string::npos);
  // Whatever witnesses say of the other log now.
  const auto before = crew.witnessed;
  crew.cosign(crew.begin(20), 20, 1);
  CHECK(crew.witnessed == before);
  CHECK(crew.board->witnessed_size() == 0);
  CHECK_FALSE(crew.board->report().alarm.empty());
}

TEST_CASE("a log that is shorter than what was witnessed may still catch up") {
  Crew crew(1);
  crew.cosign(crew.begin(10), 10, 0);
  crew.restart();
  crew.board->miss();
  CHECK(crew.board->report().alarm.find("shorter") != std::string::npos);
  crew.board->confirm(true);
  CHECK(crew.board->report().alarm.empty());
  CHECK(crew.board->witnessed_size() == 10);
}

TEST_CASE(
    "a quorum that was raised is not met by what was kept, and removed witnesses do not count") {
  Crew crew(1);
  crew.cosign(crew.begin(10), 10, 0);
  WitnessBoard stricter({{crew.first.self, "http://w1"}, {crew.second.self, "http://w2"}}, 2);
  stricter.restore(crew.cosigned, crew.witnessed);
  stricter.confirm(true);
  CHECK(stricter.witnessed_size() == 0);
  WitnessBoard others({{crew.second.self, "http://w2"}}, 1);
  others.restore(crew.cosigned, crew.witnessed);
  others.confirm(true);
  CHECK(others.witnessed_size() == 0);
  CHECK(others.known_size(0) == 0);
  // But that it was witnessed is remembered all the same.
  WitnessBoard suspicious({{crew.second.self, "http://w2"}}, 1);
  suspicious.restore(crew.cosigned, crew.witnessed);
  suspicious.confirm(false);
  CHECK_FALSE(suspicious.report().alarm.empty());
}

TEST_CASE("damage in what was kept is told, and as good as nothing kept") {
  Crew crew(1);
  crew.cosign(crew.begin(10), 10, 0);
  crew.restart();
  CHECK(crew.problems.empty());
  for (std::size_t length = 0; length < crew.witnessed->note.size(); length += 7) {
    Crew other(1);
    other.cosigned = crew.cosigned;
    other.cosigned[0].note.resize(length);
    other.witnessed = crew.witnessed;
    other.witnessed->note.resize(length);
    other.restart();
    other.board->confirm(true);
    CHECK(other.board->witnessed_size() == 0);
    CHECK(other.board->known_size(0) == 0);
    REQUIRE(other.problems.size() == 2);
    CHECK(other.problems[0].find(other.first.self.name) != std::string::npos);
    for (const std::string& one : other.problems) {
      CHECK(one.find("cosignatures.db") != std::string::npos);
      CHECK(one.find("WITNESS.md") != std::string::npos);
    }
  }
}

TEST_CASE(
    "a kept checkpoint that its witness did not sign is damage, and no history to compare with") {
  Crew crew(1);
  crew.cosign(crew.begin(10), 10, 0);
  // The third line is the root.
  std::string& note = crew.witnessed->note;
  const std::size_t root = note.find('\n', note.find('\n') + 1) + 1;
  note[root] = note[root] == 'A' ? 'B' : 'A';
  crew.restart();
  REQUIRE(crew.problems.size() == 1);
  CHECK(crew.problems[0].find("it is not what the witness " + crew.first.self.name + " signed") !=
        std::string::npos);
  CHECK_FALSE(crew.board->unconfirmed().has_value());
  CHECK(crew.board->witnessed_size() == 0);
  // And it holds nothing up.
  crew.cosign(crew.begin(20), 20, 0);
  CHECK(crew.board->witnessed_size() == 20);
}

TEST_CASE("of two sizes that are kept none is believed, and the checkpoint is still compared") {
  Crew crew(1);
  crew.cosign(crew.begin(10), 10, 0);
  crew.witnessed->size = 9;
  crew.cosigned[0].size = 11;
  crew.restart();
  CHECK(crew.problems.size() == 2);
  CHECK(crew.board->known_size(0) == 0);
  REQUIRE(crew.board->unconfirmed() == crew.log.head(10));
  crew.board->confirm(true);
  CHECK(crew.board->witnessed_size() == 0);
  crew.restart();
  crew.board->confirm(false);
  CHECK_FALSE(crew.board->report().alarm.empty());
}

TEST_CASE(
    "what was witnessed before a restart is not taken back by a smaller checkpoint after it") {
  Crew crew(1);
  crew.cosign(crew.begin(20), 20, 0);
  crew.restart();
  crew.board->confirm(true);
  // The log is not final any further yet, and the other witness has seen less.
  crew.cosign(crew.begin(15), 15, 1);
  CHECK(crew.board->witnessed_size() == 20);
  CHECK(crew.witnessed->size == 20);
  CHECK(crew.board->known_size(1) == 15);
  crew.restart();
  crew.board->confirm(true);
  CHECK(crew.board->witnessed_size() == 20);
  crew.cosign(crew.begin(25), 25, 1);
  CHECK(crew.board->witnessed_size() == 25);
}

TEST_CASE("that a witness has forgotten is said until its key is another") {
  Crew crew(1);
  const auto problem = [&] { return crew.board->report().witnesses.at(0).problem; };
  crew.cosign(crew.begin(10), 10, 0);
  const auto old_copy = crew.first.memory->kept;
  crew.cosign(crew.begin(20), 20, 0);
  CHECK(problem().empty());
  crew.first.memory->kept = old_copy;
  crew.cosign(crew.begin(30), 30, 0);
  CHECK(problem().find("size 20") != std::string::npos);
  // Neither what it cosigns later nor a start makes that undone.
  crew.cosign(crew.begin(40), 40, 0);
  CHECK(problem().find("size 20") != std::string::npos);
  crew.fail(0, Kind::kSilent);
  crew.restart();
  CHECK(problem().find("size 20") != std::string::npos);
  crew.cosign(crew.begin(40), 40, 0);
  CHECK(problem().find("size 20") != std::string::npos);
  CHECK(crew.condition(0) == WitnessCondition::kCosigns);
  CHECK(crew.board->report().witnesses.at(1).problem.empty());
  // A new key has forgotten nothing.
  WitnessBoard renewed({{crew.second.self, "http://w1"}}, 1);
  CHECK(renewed.restore(crew.cosigned, crew.witnessed).empty());
  CHECK(renewed.report().witnesses.at(0).problem.empty());
}

TEST_CASE("a witness with another history is told loudly, with its name and what to do") {
  Crew crew(1);
  const auto notice = crew.fail(0, Kind::kContradicts, 30);
  CHECK(notice.level == node::Notice::Level::kError);
  CHECK(notice.text.find("ALARM") != std::string::npos);
  CHECK(notice.text.find(crew.first.self.name) != std::string::npos);
  CHECK(notice.text.find("WITNESS.md") != std::string::npos);
  const auto report = crew.board->report().witnesses.at(0);
  CHECK(report.condition == WitnessCondition::kContradicts);
  CHECK(report.problem.find("WITNESS.md") != std::string::npos);
  CHECK(crew.board->report().witnesses.at(1).condition == WitnessCondition::kUnasked);
  // An alarm ends when the witness cosigns this log.
  crew.cosign(crew.begin(10), 10, 0);
  CHECK(crew.board->report().witnesses.at(0).condition == WitnessCondition::kCosigns);
  CHECK(crew.board->report().witnesses.at(0).problem.empty());
}

TEST_CASE("a node that lags behind one that asks the same witness raises no alarm, however often") {
  Crew crew(1);
  for (std::uint64_t other = 41; other < 60; ++other) {
    // This node knew a moment ago that it lacked nothing; now the other has shown the witness more.
    const auto before = crew.board->claims_made();
    CHECK(crew.fail(0, Kind::kOvertaken, other).level == node::Notice::Level::kDebug);
    CHECK(crew.board->has_claims());
    CHECK(crew.board->judge_claims({other - 1, true}, before).empty());
    CHECK(crew.condition() == WitnessCondition::kUnasked);
    // What the cluster says now has all that the other node had.
    CHECK(crew.judge({other, true}).empty());
    CHECK_FALSE(crew.board->has_claims());
  }
  CHECK(crew.board->failures(0) == 0);
  CHECK(crew.board->report().witnesses.at(0).failed == 0);
}

TEST_CASE("a log that the cluster says is shorter than what a witness knows is an alarm") {
  Crew crew(1);
  crew.fail(0, Kind::kOvertaken, 41);
  CHECK(crew.judge({40, false}).empty());
  CHECK(crew.condition() == WitnessCondition::kUnasked);
  const auto told = crew.judge({40, true});
  REQUIRE(told.size() == 1);
  CHECK(told[0].level == node::Notice::Level::kError);
  CHECK(told[0].text.find("ALARM") != std::string::npos);
  CHECK(told[0].text.find("size 41, and the cluster has 40") != std::string::npos);
  CHECK(crew.condition() == WitnessCondition::kAhead);
  // Told once; and neither a later size, silence nor a refusal takes it back.
  crew.fail(0, Kind::kOvertaken, 50);
  CHECK(crew.judge({40, true}).empty());
  crew.fail(0, Kind::kSilent);
  crew.fail(0, Kind::kRefused);
  CHECK(crew.condition() == WitnessCondition::kAhead);
  CHECK(crew.board->report().witnesses.at(0).problem.find("size 41") != std::string::npos);
  // Another history is worse.
  crew.fail(0, Kind::kContradicts, 41);
  CHECK(crew.condition() == WitnessCondition::kContradicts);
}

TEST_CASE("an alarm ends when the log has reached what the witness knows, or it cosigns") {
  Crew crew(1);
  crew.fail(0, Kind::kOvertaken, 33);
  crew.fail(1, Kind::kOvertaken, 40);
  crew.judge({30, true});
  CHECK(crew.condition(0) == WitnessCondition::kAhead);
  CHECK(crew.condition(1) == WitnessCondition::kAhead);
  // Also by what a node that is not current has itself.
  const auto told = crew.judge({33, false});
  REQUIRE(told.size() == 1);
  CHECK(told[0].level == node::Notice::Level::kWarning);
  CHECK_FALSE(node::is_alarm(crew.condition(0)));
  CHECK(crew.board->report().witnesses.at(0).problem.empty());
  CHECK(crew.condition(1) == WitnessCondition::kAhead);
  // Less than it named is no answer to that: its memory was put back, or it was not the one to name
  // it.
  crew.cosign(crew.begin(30), 30, 1);
  CHECK(crew.condition(1) == WitnessCondition::kAhead);
  CHECK(crew.board->report().witnesses.at(1).problem.find("size 40") != std::string::npos);
  crew.cosign(crew.begin(40), 40, 1);
  CHECK(crew.condition(1) == WitnessCondition::kCosigns);
  CHECK_FALSE(crew.board->has_claims());
}

TEST_CASE("who fails is left alone for longer each time, up to sixteen intervals") {
  CHECK(node::pause_after(0, 60s, 0.5) == 0s);
  CHECK(node::pause_after(1, 60s, 0.5) == 60s);
  CHECK(node::pause_after(2, 60s, 0.5) == 120s);
  CHECK(node::pause_after(3, 60s, 0) == 180s);
  CHECK(node::pause_after(3, 60s, 1) == 300s);
  CHECK(node::pause_after(5, 60s, 0.5) == 960s);
  CHECK(node::pause_after(4'000'000'000, 60s, 0.5) == 960s);
  Crew crew(1);
  crew.fail(0, Kind::kSilent);
  crew.fail(0, Kind::kRefused);
  CHECK(crew.board->failures(0) == 2);
  CHECK(crew.board->failures(1) == 0);
}
