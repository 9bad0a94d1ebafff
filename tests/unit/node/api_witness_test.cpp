#include <fmt/format.h>

#include "tests/unit/node/api_fakes.h"
#include "tests/unit/node/witness_fixture.h"

using namespace api_test;
using witness_test::RunningWitness;
using witnessed_log::letters;
using witnessed_log::Log;

namespace {

class FakeWitnesses final : public node::Witnesses {
 public:
  [[nodiscard]] node::WitnessesReport report() const override { return told; }
  [[nodiscard]] std::uint64_t witnessed_size() const override { return told.size; }
  [[nodiscard]] std::optional<std::string> witnessed_note() const override { return note; }
  [[nodiscard]] std::vector<chain::NoteSignature> cosignatures_on(
      chain::ByteView text) const override {
    return text == cosigned_text ? lines : std::vector<chain::NoteSignature>{};
  }
  node::WitnessesReport told;
  std::optional<std::string> note;
  std::string cosigned_text;
  std::vector<chain::NoteSignature> lines;
};

node::api::ApiOptions with(const node::Witnesses& witnesses) {
  node::api::ApiOptions options;
  options.witnesses = &witnesses;
  return options;
}

// The member signs block 4, of a log of 600 entries, which is final; its statement.
chain::Bytes make_final(Fixture& fixture) {
  const auto key = chain::Ed25519::from_pem(witnessed_log::kPems[0]);
  REQUIRE(key.has_value());
  chain::Member& member = fixture.reader.member_set.members.at(0);
  member.signing_key = (*key)->public_key();
  chain::SealedHeader& sealed = fixture.reader.blocks[chain::Height{4}].block.sealed;
  sealed.header.height = chain::Height{4};
  sealed.header.log_size = 600;
  fixture.port.final_height = chain::Height{4};
  const chain::Bytes statement = chain::certified_statement(sealed.header, block_id(sealed));
  fixture.reader.signatures = {{member.slot, (*key)->sign(statement)}};
  return statement;
}

}  // namespace

TEST_CASE(
    "an event below the witnessed size is witnessed, in every answer that tells how far it is") {
  FakeWitnesses witnesses;
  Fixture fixture(with(witnesses));
  store::EventLookup lookup;
  lookup.state = store::EventLookup::State::kCompleted;
  lookup.position = chain::Position{7};
  lookup.version = chain::StreamVersion{0};
  lookup.height = chain::Height{3};
  const chain::EventKey key = chain::event_key("/test", "e");
  fixture.reader.lookups[key] = lookup;
  node::EventOutcome outcome;
  outcome.state = node::EventOutcome::State::kCompleted;
  outcome.position = lookup.position;
  outcome.version = lookup.version;
  outcome.height = lookup.height;
  fixture.port.outcomes = {outcome};
  const auto detail_is = [&](const std::string& detail) {
    const std::string text = fmt::format(R"("status":"completed","detail":"{}")", detail);
    const std::string path = "/v1/events/" + to_hex(key);
    CHECK(contains(fixture.get(path + "/status").body, text));
    CHECK(contains(fixture.get(path).body, text));
    CHECK(contains(fixture
                       .post_event("/v1/events",
                                   R"({"specversion":"1.0","id":"e","source":"/test","type":"t"})")
                       .body,
                   text));
  };
  detail_is("committed");
  fixture.port.final_height = chain::Height{3};
  fixture.port.outcomes[0].is_final = true;
  detail_is("final");
  witnesses.told.size = 7;
  detail_is("final");
  witnesses.told.size = 8;
  detail_is("witnessed");
}

TEST_CASE("the checkpoint bears the cosignatures that are held for exactly it") {
  FakeWitnesses witnesses;
  Fixture fixture(with(witnesses));
  const chain::Bytes statement = make_final(fixture);
  witnesses.lines = {{"w.example/1", chain::NoteKeyId{{1, 2, 3, 4}}, std::string(72, 'c')}};
  witnesses.cosigned_text = "another";
  CHECK(chain::decode_note(fixture.get("/checkpoint").body)->signatures.size() == 1);
  witnesses.cosigned_text = statement;
  const auto note = chain::decode_note(fixture.get("/checkpoint").body);
  REQUIRE(note.has_value());
  CHECK(note->text == statement);
  REQUIRE(note->signatures.size() == 2);
  CHECK(note->signatures[1] == witnesses.lines[0]);
}

TEST_CASE("the witnessed checkpoint is told where there is one") {
  CHECK(Fixture().get("/checkpoint/witnessed").status == 404);
  FakeWitnesses witnesses;
  Fixture fixture(with(witnesses));
  const auto none = fixture.get("/checkpoint/witnessed");
  CHECK(none.status == 404);
  CHECK(contains(none.body, "enough cosignatures"));
  witnesses.note = "text\n\nline\n";
  const auto answer = fixture.get("/checkpoint/witnessed");
  CHECK(answer.status == 200);
  CHECK(answer.body == "text\n\nline\n");
  CHECK(answer.content_type == "text/plain; charset=utf-8");
  CHECK(header_of(answer, "Cache-Control") == "no-store");
}

TEST_CASE("the status names each witness, what is wrong with it, and what to do") {
  FakeWitnesses witnesses;
  Fixture fixture(with(witnesses));
  witnesses.told.quorum = 2;
  witnesses.told.size = 12;
  witnesses.told.seen = chain::UnixMillis{1'700'000'000'000};
  witnesses.told.alarm = "the log is another";
  node::WitnessReport bad;
  bad.name = "w.example/1";
  bad.url = "https://w.example";
  bad.condition = node::WitnessCondition::kContradicts;
  bad.problem = "it has cosigned another history";
  bad.size = 12;
  bad.time = chain::UnixSeconds{INT64_MAX};
  witnesses.told.witnesses = {bad, {}};
  const auto answer = fixture.get("/v1/cluster");
  CHECK(answer.status == 200);
  for (const char* part :
       {R"("witnesses":{"quorum":2,"log_size":"12","witnessed_at":"2023-11-14T22:13:20.000Z")",
        R"("alarm":"the log is another")",
        R"({"name":"w.example/1","url":"https://w.example","condition":"contradicts","alarm":true)",
        R"("problem":"it has cosigned another history","log_size":"12")",
        R"("cosigned_at":"9223372036854775807")", R"("condition":"unasked","alarm":false)"}) {
    INFO(part);
    CHECK(contains(answer.body, part));
  }
  CHECK_FALSE(contains(Fixture().get("/v1/cluster").body, "witnesses"));
}

TEST_CASE("a node that is a witness answers logs, one that is none says so") {
  CHECK(Fixture().post("/add-checkpoint", "text/plain", "old 0\n").status == 404);
  Log log(letters(9, 'a'));
  RunningWitness witness({log.as_witnessed(2)});
  node::api::ApiOptions options;
  options.cosigner = witness.cosigner.get();
  Fixture fixture(std::move(options));
  // The answer comes from the witness' thread by way of the connection's.
  auto client = std::make_shared<FakeClient>();
  const auto ask = [&](const chain::AddCheckpoint& request) {
    net::http::Request posted;
    posted.method = "POST";
    posted.target = "/add-checkpoint";
    posted.body = chain::encode_add_checkpoint(request);
    fixture.api->handle(std::move(posted), client);
  };
  ask(log.request(0, 9));
  CHECK(witness.ask(log.request(9, 9)).status == 200);  // behind the other
  client->run();
  CHECK(client->answers == 1);
  CHECK(client->answer.status == 200);
  CHECK(client->answer.body.starts_with("\xe2\x80\x94 witness.example/w1 "));
  CHECK(
      contains(fixture.get("/v1/cluster").body,
               R"("cosigner":{"logs":[{"origin":"log.example/a","log_size":"9"}],"cosigned":"2")"));
}
