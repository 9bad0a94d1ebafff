#include "chain/work_proof.h"

#include <doctest/doctest.h>

#include "tests/unit/worked_chain.h"

using namespace work_test;

namespace {

// Few of the last blocks, so that short chains have something to draw from.
constexpr WorkSampling kSampling{WorkShare::kHalf, 10, 4};

WorkedChain honest_chain(std::uint64_t blocks) {
  WorkedChain chain(receipt_genesis());
  chain.grow(blocks);
  return chain;
}

std::vector<std::string> step_names(const WorkReport& report) {
  std::vector<std::string> names;
  for (const ReceiptStep& step : report.steps) names.push_back(step.name);
  return names;
}

bool has_sentence(const std::vector<std::string>& sentences, std::string_view part) {
  return std::ranges::any_of(
      sentences, [&](const std::string& one) { return one.find(part) != std::string::npos; });
}

// How many of many heads of one history, each with places of its own, are refused; `expected` is
// the step that does.
std::size_t refusals(WorkedChain& chain, const std::string& expected, std::size_t heads,
                     const WorkSampling& sampling = kSampling) {
  std::size_t refused = 0;
  for (std::uint64_t variant = 1; variant <= heads; ++variant) {
    const Receipt head = chain.head_of(chain.on_top({}, variant));
    const WorkReport report = chain.verify(chain.proof_of(head, sampling));
    if (report.failed() == nullptr) continue;
    CHECK(failing(report) == expected);
    ++refused;
  }
  return refused;
}

}  // namespace

TEST_CASE("an honest chain of any length proves its work") {
  for (const std::uint64_t blocks : {2U, 3U, 4U, 5U, 6U, 7U, 8U, 9U, 33U, 100U, 1001U}) {
    INFO("a head at height ", blocks - 1);
    const WorkedChain chain = honest_chain(blocks);
    const WorkProof proof = chain.proof(kSampling);
    const WorkReport report = chain.verify(proof);
    CHECK(failing(report) == "");
    REQUIRE(report.facts.has_value());
    CHECK(report.is_proved());
    CHECK(report.facts->head.value == blocks - 1);
    CHECK(report.facts->claimed == chain.history().total_work());
    CHECK(report.facts->blocks == proof.blocks.size() + 1);
    CHECK(report.facts->signers == std::vector<std::string>{"n1", "n2"});
    CHECK(report.facts->voters == 3);
    CHECK(step_names(report) ==
          std::vector<std::string>{"function", "parameters", "head-chain", "head-member-sets",
                                   "head-seal", "head-work", "head-certificate", "seals", "history",
                                   "samples", "neighbours", "work"});
    const bool is_whole = proof.blocks.size() == blocks - 2;
    CHECK(has_sentence(report.proved, "every block were looked at") == is_whole);
    CHECK(has_sentence(report.proved, "at least 50 %") != is_whole);
    CHECK(has_sentence(report.not_proved, "the only history"));
    CHECK(has_sentence(report.not_proved, "with half the hashes for that block once in 121 times"));
    CHECK(has_sentence(report.not_proved,
                       "this chain's have " + std::to_string(chain.genesis().share_count)));
  }
}

TEST_CASE("a proof grows with the logarithm of the chain") {
  const WorkSampling sampling{WorkShare::kHalf, 10, 16};
  const std::size_t at_500 = honest_chain(500).proof(sampling).blocks.size();
  const std::size_t at_4000 = honest_chain(4000).proof(sampling).blocks.size();
  CHECK(at_4000 > at_500);
  CHECK(at_4000 < 2 * at_500);
}

TEST_CASE("the parameters of a proof are held against those that are asked for") {
  const WorkedChain chain = honest_chain(50);
  const auto outcome = [&](const WorkSampling& given, const WorkSampling& least) {
    return failing(verify_work_proof(chain.proof(given), {chain.genesis(), nullptr, least}));
  };
  CHECK(outcome({WorkShare::kHalf, 20, 8}, {WorkShare::kHalf, 20, 8}) == "");
  CHECK(outcome({WorkShare::kHalf, 20, 8}, {WorkShare::kHalf, 21, 8}) == "parameters");
  CHECK(outcome({WorkShare::kHalf, 20, 8}, {WorkShare::kThreeQuarters, 20, 8}) == "parameters");
  CHECK(outcome({WorkShare::kNineTenths, 20, 8}, {WorkShare::kThreeQuarters, 20, 8}) == "");
  CHECK(outcome({WorkShare::kHalf, 20, 2}, {WorkShare::kHalf, 20, 8}) == "");
  // A proof says for what it was made: with other words, it shows other blocks than it must.
  WorkProof proof = chain.proof({WorkShare::kHalf, 10, 4});
  proof.sampling.bits = 40;
  CHECK(failing(chain.verify(proof)) == "samples");
  proof.sampling = {WorkShare::kHalf, 0, 4};
  CHECK(failing(chain.verify(proof)) == "parameters");
}

TEST_CASE("who makes a proof has no say in which blocks it shows") {
  const WorkedChain chain = honest_chain(200);
  const WorkProof whole = chain.proof(kSampling);
  REQUIRE(failing(chain.verify(whole)) == "");
  const HistoryReader nodes = [&](std::uint64_t number) -> Result<HistoryNode> {
    return const_cast<WorkedChain&>(chain).nodes().at(number);
  };
  // Every one left out, and every other one put in, with the nodes that belong to it.
  for (std::uint64_t height = 1; height + 1 < chain.blocks().size(); ++height) {
    WorkProof proof = whole;
    const auto place =
        std::ranges::find(proof.blocks, Height{height},
                          [](const SealedHeader& sealed) { return sealed.header.height; });
    const bool is_shown = place != proof.blocks.end();
    if (is_shown)
      proof.blocks.erase(place);
    else
      proof.blocks.insert(
          std::ranges::upper_bound(proof.blocks, Height{height}, {},
                                   [](const SealedHeader& sealed) { return sealed.header.height; }),
          chain.blocks()[height]);
    std::vector<Height> leaves{Height{0}};
    for (const SealedHeader& sealed : proof.blocks) leaves.push_back(sealed.header.height);
    proof.nodes = cut_history(leaves, chain.blocks().size() - 1, nodes).value();
    INFO("block ", height, is_shown ? " left out" : " put in");
    CHECK(failing(chain.verify(proof)) == "samples");
  }
}

TEST_CASE("blocks whose work was not done are found") {
  const auto outcome = [](const std::function<bool(std::uint64_t)>& is_idle) {
    WorkedChain chain(receipt_genesis());
    Deviation deviation;
    deviation.is_idle = is_idle;
    chain.grow(400, deviation);
    return refusals(chain, "work", 40);
  };
  // Whatever half of them it is, of all or of the end from some block on.
  CHECK(outcome([](std::uint64_t height) { return height < 200; }) == 40);
  CHECK(outcome([](std::uint64_t height) { return height % 2 == 1; }) == 40);
  CHECK(outcome([](std::uint64_t height) { return height >= 100 && height < 250; }) == 40);
  CHECK(outcome([](std::uint64_t height) { return height >= 360 && height < 380; }) == 40);
  CHECK(outcome([](std::uint64_t height) { return height == 399; }) == 40);
  CHECK(outcome([](std::uint64_t) { return false; }) == 0);
}

TEST_CASE(
    "of blocks without work, as many escape as the formula lets, when few samples are asked") {
  // A fork of three quarters whose first half is idle: 1 in 4 for each sample in an octave. So few
  // samples are asked that some escape; the head's own share makes up for tries.
  WorkedChain chain(receipt_genesis());
  Deviation deviation;
  deviation.is_idle = [](std::uint64_t height) { return height >= 51 && height < 126; };
  chain.grow(201, deviation);
  const WorkSampling weak{WorkShare::kHalf, 1, 1};
  const U256 total = chain.history().total_work();
  const SamplePlan plan = plan_samples(weak, {total, U256(48), U256(16)});
  REQUIRE(plan.each == 6);                           // for 1 bit, and 10 for the tries
  CHECK(refusals(chain, "work", 300, weak) >= 297);  // one in 4,096 escapes
}

TEST_CASE("a block altered in the middle with the blocks above it kept is found by each of these") {
  WorkedChain chain(receipt_genesis());
  chain.grow(120);
  const WorkedChain honest = honest_chain(300);
  // Another block 120, worked for as it should be; above it the honest ones.
  chain.take(chain.on_top({}, 99));
  for (std::uint64_t height = 121; height < 300; ++height) chain.take(honest.blocks()[height]);
  CHECK(refusals(chain, "history", 20) == 20);
  CHECK(has_sentence(
      {chain.verify(chain.proof_of(chain.head_of(chain.on_top({}, 1)), kSampling)).failed()->text},
      "another history"));
}

TEST_CASE("blocks of another history, and blocks that stand in it twice, are found") {
  SUBCASE("from another chain of the same genesis, at their own heights") {
    WorkedChain other(receipt_genesis());
    Deviation elsewhere;
    elsewhere.header = [](TemplateHeader& header) { header.log_root = named<Hash>("elsewhere"); };
    other.grow(301, elsewhere);
    WorkedChain chain(receipt_genesis());
    chain.grow(100);
    for (std::uint64_t height = 100; height < 250; ++height) chain.take(other.blocks()[height]);
    chain.grow(300);
    CHECK(refusals(chain, "history", 20) == 20);
  }
  SUBCASE("the same blocks once more") {
    WorkedChain chain = honest_chain(150);
    for (std::uint64_t height = 1; height < 150; ++height) {
      const SealedHeader again = chain.blocks()[height];
      chain.take(again);
    }
    chain.grow(320);
    CHECK(refusals(chain, "history", 20) == 20);
  }
}

TEST_CASE("a history that says more of a block than its header does is found") {
  SUBCASE("in a leaf: the work of all others together") {
    WorkedChain chain(receipt_genesis());
    chain.grow(100);
    const SealedHeader sealed = chain.on_top({}, 0);
    HistoryNode leaf = WorkedChain::leaf_of(sealed);
    leaf.work = leaf.work + chain.history().total_work();
    chain.take(sealed, leaf);
    chain.grow(300);
    CHECK(refusals(chain, "history", 20) == 20);
  }
  SUBCASE("in a node over many: twice their work") {
    WorkedChain chain(receipt_genesis());
    chain.grow(257);  // the first 256 under one node, and one more
    std::vector<HistoryNode> peaks = chain.history().peaks();
    REQUIRE(peaks.size() == 2);
    peaks[0].work = peaks[0].work + peaks[0].work;
    chain.nodes().at(history_node_number(8, 0)) = peaks[0];
    const History inflated = History::restore(peaks).value();
    std::size_t refused = 0;
    for (std::uint64_t variant = 0; variant < 20; ++variant) {
      Deviation deviation;
      deviation.header = [&](TemplateHeader& header) { header.history_root = inflated.root(); };
      const Receipt head = chain.head_of(chain.on_top(deviation, variant));
      const WorkReport report = chain.verify(chain.proof_of(head, kSampling));
      if (report.failed() != nullptr) ++refused;
    }
    CHECK(refused == 20);
  }
  SUBCASE("of genesis: that it had work") {
    WorkedChain chain(receipt_genesis());
    chain.grow(3);
    HistoryNode first = chain.nodes()[0];
    first.work = U256(48);
    WorkedChain forged(receipt_genesis());
    forged.nodes()[0] = first;
    History history;
    history.append(first);
    Deviation deviation;
    deviation.header = [&](TemplateHeader& header) { header.history_root = history.root(); };
    const Receipt head = forged.head_of(forged.on_top(deviation, 0));
    CHECK(failing(forged.verify(forged.proof_of(head, kSampling))) == "history");
  }
}

TEST_CASE("more work than there can be is not sampled") {
  WorkedChain chain(receipt_genesis());
  chain.grow(3);
  const auto proof = chain.proof(kSampling);
  CHECK(sample_task(kSampling, proof.head.block, (U256(1) << 128) - U256(1), U256(1)));
  CHECK_FALSE(sample_task(kSampling, proof.head.block, U256(1) << 128, U256(1)));
  CHECK_FALSE(sample_task(kSampling, proof.head.block, U256::max(), U256(1)));
}

TEST_CASE("neighbours that are shown must follow from each other") {
  const auto outcome = [](const std::function<void(TemplateHeader&)>& change) {
    WorkedChain chain(receipt_genesis());
    chain.grow(60);
    Deviation deviation;
    deviation.header = change;
    chain.take(chain.on_top(deviation, 0));
    chain.grow(64);
    return failing(chain.verify(chain.proof(kSampling)));
  };
  CHECK(outcome([](TemplateHeader&) {}) == "");
  CHECK(outcome([](TemplateHeader& header) { header.parent = named<BlockId>("nobody"); }) ==
        "neighbours");
  CHECK(outcome([](TemplateHeader& header) {
          header.share_target = compact(target_for(U256(64)));  // harder than it should be
        }) == "neighbours");
  CHECK(outcome([](TemplateHeader& header) { --header.started.value; }) == "history");
  CHECK(outcome([](TemplateHeader& header) { header.log_size = 5; }) == "history");
  CHECK(outcome([](TemplateHeader& header) {
          header.share_target = compact(target_for(U256(8)));  // easier than any may be
        }) == "seals");
  CHECK(outcome([](TemplateHeader& header) { --header.share_count; }) == "seals");
  CHECK(outcome([](TemplateHeader& header) { header.chain = named<ChainId>("other"); }) == "seals");
}

TEST_CASE("a head that too few signed, or that is a receipt of something else, is none") {
  const WorkedChain chain = honest_chain(20);
  WorkProof proof = chain.proof(kSampling);
  proof.head.certificate.pop_back();
  CHECK(failing(chain.verify(proof)) == "head-certificate");
  proof = chain.proof(kSampling);
  proof.head.what = ReceiptEntry{};
  CHECK(failing(chain.verify(proof)) == "head");
  proof = chain.proof(kSampling);
  proof.head.consistency = LogConsistency{};
  CHECK(failing(chain.verify(proof)) == "head");
  proof = chain.proof(kSampling);
  proof.head.newer = NewerBlock{};
  CHECK(failing(chain.verify(proof)) == "head");
  proof = chain.proof(kSampling);
  proof.head.shown = ShownBody{};
  CHECK(failing(chain.verify(proof)) == "head-body");
}

TEST_CASE("a chain without work has no proof, and says why") {
  const ReceiptChain chain = receipt_chain(WorkFunction::kNone);
  WorkProof proof;
  const WorkReport report = verify_work_proof(proof, {chain.state.genesis, nullptr, kSampling});
  CHECK(failing(report) == "function");
  CHECK(report.failed()->text.find("no work to prove") != std::string::npos);
}

TEST_CASE("work that cannot be computed here is not proved") {
  WorkedChain chain(receipt_genesis(WorkFunction::kRandomXV1));
  chain.grow(30);
  const WorkProof proof = chain.proof(kSampling);
  const WorkReport report = verify_work_proof(proof, {chain.genesis(), nullptr, kSampling});
  CHECK(failing(report) == "");
  CHECK_FALSE(report.is_proved());
  CHECK(report.find("work")->state == StepState::kNotChecked);
  CHECK(has_sentence(report.not_proved, "nothing is known of it"));
  for (const std::string& sentence : report.proved)
    CHECK(sentence.find("Work") == std::string::npos);
  CHECK(verify_work_proof(proof, {chain.genesis(), &digest_of(WorkFunction::kRandomXV1), kSampling})
            .is_proved());
}
