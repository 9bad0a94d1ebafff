#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <utility>

#include "chain/base64.h"
#include "chain/certificate.h"
#include "chain/note.h"
#include "made_up_chain.h"
#include "node/api/receipt_json.h"
#include "store/receipt_maker.h"
#include "store/sqlite/sqlite_reader.h"
#include "tools/eventchain/kept_files.h"
#include "tools/eventchain/verify_text.h"

using namespace made_up;

namespace {

// What somebody keeps: files in a directory of his own.
struct Kept {
  TemporaryDirectory directory;

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(directory.file(name)) << text;
  }
  // The receipt of the event with that number, as of a chain.
  void receipt(const std::string& name, const Written& from, std::uint64_t number,
               const std::string& data = "{}", const std::string& stream = "") const {
    const auto reader = store::open_reader(from.database, from.genesis, 1).value();
    const auto event = hold_made_up(
        {number, stream.empty() ? "stream-" + std::to_string(number % 3) : stream, data, {}});
    const auto made = store::ReceiptMaker(*reader, from.genesis).make({event.facts.key});
    INFO((made ? "" : made.error().message));
    REQUIRE(made.has_value());
    write(name, node::api::format_receipt(*made).value());
  }
  // The checkpoint of a chain at one of its blocks, signed by voters.
  void checkpoint(const std::string& name, const Written& from, std::uint64_t height,
                  const std::vector<std::uint16_t>& signers) const {
    const auto reader = store::open_reader(from.database, from.genesis, 1).value();
    const chain::SealedHeader sealed = reader->headers({height}, 1).value().front();
    chain::SignedNote note{chain::certified_statement(sealed.header, chain::block_id(sealed)), {}};
    const std::string origin = chain::log_origin(sealed.header.chain);
    for (const std::uint16_t slot : signers) {
      const auto key = made_up_key(slot);
      note.signatures.push_back(
          chain::note_signature(origin, key->public_key(), key->sign(note.text)));
    }
    write(name, signers.empty() ? std::string(note.text) : chain::encode_note(note));
  }

  [[nodiscard]] KeptFiles load() const {
    auto kept = KeptFiles::load({directory.path().string()}, made_up_genesis(),
                                chain::Sha256Digest(), nullptr);
    INFO((kept ? "" : kept.error().message));
    REQUIRE(kept.has_value());
    return std::move(*kept);
  }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// One event of block 2 says something else, and from there on all work is redone and everything
// signed anew, with the same keys.
Story rewritten() {
  Story story;
  story.data_of_event_7 = "{\"amount\": 7000000}";
  return story;
}

}  // namespace

TEST_CASE("what was kept of a chain agrees with it, and the verdict says how far that reaches") {
  const Written written;
  const Kept kept;
  kept.receipt("placed.json", written, 7, "{\"amount\": 7}");
  kept.receipt("rejected.json", written, 501, "{}", "late");
  kept.checkpoint("note.txt", written, 9, {0, 1, 3});
  kept.checkpoint("bare.txt", written, 4, {});
  const KeptFiles files = kept.load();
  const VerifyReport report = written.verify(&files);
  INFO(texts(report));
  CHECK(report.findings.total() == 0);
  CHECK(report.receipts == 2);
  CHECK(report.checkpoints == 2);
  CHECK(report.attested.value == 9);
  const std::string text = report_text(report, 1);
  CHECK(contains(text, "0 block ids, 2 receipts and 2 checkpoints kept elsewhere agree"));
  CHECK(contains(text, "up to block 9"));
  CHECK_FALSE(contains(text, "not checked"));
}

TEST_CASE("a rewritten chain verifies, and says that it cannot know; an old receipt exposes it") {
  const Written honest;
  const Written forged(rewritten());
  REQUIRE(honest.state.tip != forged.state.tip);
  {
    const VerifyReport report = forged.verify();
    INFO(texts(report));
    CHECK(report.findings.total() == 0);
    CHECK(report.certified.value == 12);
    const std::string text = report_text(report, 1);
    CHECK(contains(text,
                   "verified: everything is as it was committed\nnot checked: whether this "
                   "is the history that others were told"));
    CHECK(contains(text, "--against"));
  }
  const Kept kept;
  kept.receipt("old.json", honest, 7, "{\"amount\": 7}");
  const KeptFiles files = kept.load();
  const VerifyReport report = forged.verify(&files);
  REQUIRE(report.findings.total() == 1);
  const Finding& finding = report.findings.kept().front();
  CHECK(finding.thing == "receipt");
  CHECK(finding.place == 2);
  CHECK(contains(finding.text, "old.json: it says that block 2 is "));
  CHECK(contains(finding.text, "at position 7 it has the commitment"));
  CHECK(contains(finding.text, "signatures of n1 and n3: keep the file, it is evidence"));
  CHECK(contains(report_text(report, 1), "NOT verified: 1 thing is not as it was committed"));
}

TEST_CASE("an old checkpoint exposes a rewritten chain, also a bare one from another program") {
  const Written honest;
  const Written forged(rewritten());
  const Kept kept;
  kept.checkpoint("note.txt", honest, 5, {0, 1});
  const std::string log = chain::log_origin(honest.state.chain);
  kept.write("bare.txt", log + "\n" + std::to_string(honest.state.log.size()) + "\n" +
                             chain::to_base64(honest.state.log.root().view()) + "\n");
  const KeptFiles files = kept.load();
  CHECK(honest.verify(&files).findings.total() == 0);
  const VerifyReport report = forged.verify(&files);
  INFO(texts(report));
  REQUIRE(report.findings.total() == 2);
  CHECK(contains(texts(report), "bare.txt: it says that the log of"));
  CHECK(contains(texts(report), "note.txt: it says that block 5 is"));
  CHECK(contains(texts(report), "it bears the signatures of n1 and n2"));
}

TEST_CASE("a checkpoint inside a block is recomputed from its events") {
  const Written honest;
  const Kept kept;
  chain::LogTree log;
  for (const NextBlock& next : Story().told())
    for (const chain::HeldEvent& event : next.events)
      if (log.size() < 100) log.append(chain::log_leaf(event.facts.commitment));
  const std::string origin = chain::log_origin(honest.state.chain);
  kept.write("inside.txt", origin + "\n100\n" + chain::to_base64(log.root().view()) + "\n");
  kept.write("empty.txt",
             origin + "\n0\n" + chain::to_base64(chain::empty_tree_root().view()) + "\n");
  const KeptFiles files = kept.load();
  const VerifyReport report = honest.verify(&files);
  INFO(texts(report));
  CHECK(report.findings.total() == 0);
  CHECK(report.checkpoints == 2);
}

TEST_CASE("a chain that was rolled back is told by what reaches further than it") {
  const Written whole;
  Story cut;
  cut.blocks = 8;
  const Written behind(cut);
  CHECK(behind.verify().findings.total() == 0);
  const Kept kept;
  kept.receipt("late.json", whole, 1000);
  kept.checkpoint("late.txt", whole, 12, {1, 2, 3});
  kept.receipt("early.json", whole, 1);
  const KeptFiles files = kept.load();
  const VerifyReport report = behind.verify(&files);
  INFO(texts(report));
  CHECK(report.findings.total() == 2);
  CHECK(report.receipts == 1);
  CHECK(contains(texts(report), "the chain ends with block 8"));
  CHECK(contains(texts(report), "it was rolled back, or is behind"));
}

TEST_CASE("what does not hold by itself is no evidence against a chain, and is named as that") {
  const Written written;
  const Kept kept;
  kept.receipt("good.json", written, 7, "{\"amount\": 7}");
  {
    std::ifstream good(kept.directory.file("good.json"));
    std::string text((std::istreambuf_iterator<char>(good)), std::istreambuf_iterator<char>());
    const std::size_t at = text.find("\"signature\":\"") + 20;
    text[at] = text[at] == '0' ? '1' : '0';
    kept.write("forged.json", text);
  }
  kept.write("cut.json", "{\"format\":");
  kept.write("list.txt", "milk\nbread\n");
  kept.write("other.txt",
             "eventchain/00\n0\n" + chain::to_base64(chain::empty_tree_root().view()) + "\n");
  kept.checkpoint("note.txt", written, 5, {0, 1});
  {
    std::ifstream good(kept.directory.file("note.txt"));
    std::string text((std::istreambuf_iterator<char>(good)), std::istreambuf_iterator<char>());
    text[text.size() - 20] = text[text.size() - 20] == 'A' ? 'B' : 'A';
    kept.write("note.txt", text);
  }
  const KeptFiles files = kept.load();
  const VerifyReport report = written.verify(&files);
  INFO(texts(report));
  CHECK(report.receipts == 1);
  CHECK(report.findings.total() == 5);
  CHECK(contains(texts(report),
                 "forged.json: it does not hold by itself, and tells nothing of this "
                 "chain: step certificate"));
  CHECK(contains(texts(report), "cut.json: it does not hold by itself"));
  CHECK(contains(texts(report), "list.txt: it is neither a receipt nor a checkpoint"));
  CHECK(contains(texts(report),
                 "other.txt: it does not hold by itself, and tells nothing of this "
                 "chain: it is of the log 'eventchain/00'"));
  CHECK(contains(texts(report), "note.txt: it does not hold by itself"));
}

TEST_CASE("files that cannot be read end the command, with their name") {
  const auto none =
      KeptFiles::load({"/nowhere/receipt.json"}, made_up_genesis(), chain::Sha256Digest(), nullptr);
  REQUIRE_FALSE(none.has_value());
  CHECK(contains(none.error().message, "/nowhere/receipt.json"));
  const TemporaryDirectory empty;
  CHECK_FALSE(
      KeptFiles::load({empty.path().string()}, made_up_genesis(), chain::Sha256Digest(), nullptr)
          .has_value());
}

TEST_CASE("what is above a block that cannot be followed attests no history") {
  const Written written;
  const Kept kept;
  kept.checkpoint("high.txt", written, 9, {0, 1, 3});
  kept.receipt("low.json", written, 0);
  SQLite::Database(written.database, SQLite::OPEN_READWRITE)
      .exec("UPDATE block SET sealed = x'00' WHERE height = 6");
  const KeptFiles files = kept.load();
  const VerifyReport report = written.verify(&files);
  CHECK(report.attested.value == 1);
  const std::string text = report_text(report, 1);
  INFO(text);
  CHECK(contains(text, "it is their history up to block 1, "));
  CHECK_FALSE(contains(text, "up to its tip"));
}

TEST_CASE("a named block above one that cannot be followed says nothing of what is below") {
  const Written written;
  SQLite::Database(written.database, SQLite::OPEN_READWRITE)
      .exec("UPDATE block SET sealed = x'00' WHERE height = 6");
  VerifyOptions options;
  options.database = written.database;
  options.genesis = written.genesis;
  options.known_blocks = {written.state.tip};
  const auto report = verify_chain(options);
  REQUIRE_MESSAGE(report, report.error().message);
  CHECK(report->attested.value == 0);
  CHECK(report->attested_apart == 1);
  const std::string text = report_text(*report, 1);
  INFO(text);
  CHECK(contains(text, "one of the blocks that they name stands above one that could not be"));
  CHECK_FALSE(contains(text, "up to its tip"));
}

TEST_CASE(
    "what is newer than a running node has yet is not compared; a stopped one is rolled back") {
  const Written ahead;
  const Kept kept;
  kept.receipt("new.json", ahead, 42);
  kept.checkpoint("new.txt", ahead, 12, {0, 1, 3});
  kept.receipt("old.json", ahead, 0);
  const KeptFiles files = kept.load();
  const TemporaryDirectory directory;
  const chain::Genesis genesis = made_up_genesis();
  VerifyOptions options;
  options.database = directory.file("chain.db");
  options.genesis = genesis;
  options.against = &files;
  {
    const auto running = open_empty(directory, genesis);
    SyntheticChain chain(genesis, *running);
    Story story;
    story.blocks = 10;
    for (const NextBlock& next : story.told()) chain.add(next);
    const auto report = verify_chain(options);
    REQUIRE_MESSAGE(report, report.error().message);
    INFO(texts(*report));
    CHECK(report->findings.total() == 0);
    CHECK(report->receipts == 1);
    CHECK(report->not_compared.size() == 2);
    CHECK(exit_of(*report) == Exit::kNotYet);
    CHECK(contains(report_text(*report, 1),
                   "is newer than what was read of a node that runs, up to block 10"));
  }
  const auto report = verify_chain(options);
  REQUIRE_MESSAGE(report, report.error().message);
  CHECK(report->findings.total() == 2);
  CHECK(contains(texts(*report), "it was rolled back, or is behind"));
}

TEST_CASE("a chain of which voters have certified nothing is not called verified") {
  TemporaryDirectory directory;
  const chain::Genesis genesis = made_up_genesis();
  {
    const auto to = open_empty(directory, genesis);
    SyntheticChain chain(genesis, *to);
    chain.add({.events = {hold_made_up({.number = 1})}, .signers = {2}});
    chain.add({.events = {hold_made_up({.number = 2})}});
  }
  VerifyOptions options;
  options.database = directory.file("chain.db");
  options.genesis = genesis;
  const auto report = verify_chain(options);
  REQUIRE_MESSAGE(report, report.error().message);
  CHECK(report->findings.total() == 0);
  CHECK(exit_of(*report) == Exit::kUncertified);
  const std::string text = report_text(*report, 1);
  CHECK(contains(text, "NOT certified: "));
  CHECK_FALSE(contains(text, "verified: everything"));
}

TEST_CASE("a signature at a height that no block has is found while the chain grows, too") {
  TemporaryDirectory directory;
  const chain::Genesis genesis = made_up_genesis();
  const auto to = open_empty(directory, genesis);
  SyntheticChain chain(genesis, *to);
  chain.add({.events = {hold_made_up({.number = 1})}, .signers = {0, 1}});
  SQLite::Database(directory.file("chain.db"), SQLite::OPEN_READWRITE)
      .exec(
          "INSERT INTO signature VALUES (-1, 0, zeroblob(64));"
          // These sort behind every height, and are of no block that the chain could grow to.
          "INSERT INTO signature VALUES (9223372036854775807, 0, zeroblob(64));");
  VerifyOptions options;
  options.database = directory.file("chain.db");
  options.genesis = genesis;
  bool has_grown = false;
  options.progress = [&](VerifyStage stage, std::uint64_t, std::uint64_t) {
    if (stage != VerifyStage::kClosing || std::exchange(has_grown, true)) return;
    chain.add({.events = {hold_made_up({.number = 2})}, .signers = {0, 1}});
  };
  const auto report = verify_chain(options);
  REQUIRE_MESSAGE(report, report.error().message);
  REQUIRE(report->has_grown);
  CHECK(contains(texts(*report), "1 signatures are on blocks that are not there"));
}
