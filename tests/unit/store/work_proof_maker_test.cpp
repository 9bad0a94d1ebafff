#include "store/work_proof_maker.h"

#include <doctest/doctest.h>

#include <functional>

#include "store/memory_store.h"
#include "store/sqlite/sqlite_reader.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/store_id_file.h"
#include "tests/unit/receipt_store.h"
#include "tests/unit/temporary_directory.h"

using namespace receipt_test;

namespace {

constexpr WorkSampling kSampling{WorkShare::kHalf, 10, 3};

// The same story with the store in memory and the one on disk.
void with_both(const ReceiptChain& chain,
               const std::function<void(store::Store&, store::ChainReader&)>& story) {
  const Genesis& genesis = chain.state.genesis;
  SUBCASE("in memory") {
    store::MemoryStore store(genesis);
    write_chain(store, chain);
    story(store, store);
  }
  SUBCASE("in SQLite") {
    TemporaryDirectory directory;
    const StoreId disk = genesis.voters[0].store;
    REQUIRE(store::write_store_id(directory.path(), disk));
    auto store = store::open_store(directory.file("chain.db"), genesis, disk);
    REQUIRE_MESSAGE(store, store.error().message);
    (*store)->chain().recover();
    write_chain(**store, chain);
    auto reader = store::open_reader(directory.file("chain.db"), genesis, 1);
    REQUIRE_MESSAGE(reader, reader.error().message);
    story(**store, **reader);
  }
}

// A reader in which one history node is not what it was.
class Damaged final : public store::MemoryStore {
 public:
  using store::MemoryStore::MemoryStore;
  std::uint64_t number = ~std::uint64_t{0};
  Result<HistoryNode> history_node(std::uint64_t at) override {
    auto node = store::MemoryStore::history_node(at);
    if (node && at == number) node->work = node->work + U256(1);
    return node;
  }
};

}  // namespace

TEST_CASE("what a store has proves its work, past voters that came and went") {
  const ReceiptChain chain = receipt_chain();
  with_both(chain, [&](store::Store&, store::ChainReader& reader) {
    const auto proof = store::WorkProofMaker(reader, chain.state.genesis).make(kSampling);
    REQUIRE_MESSAGE(proof, proof.error().message);
    CHECK(proof->head.block == chain.at(11).block.sealed);
    CHECK(proof->head.voters.size() == 3);
    const WorkReport report = verify_work_proof(*proof, {chain.state.genesis, nullptr, kSampling});
    REQUIRE(report.is_proved());
    CHECK(report.facts->claimed == chain.state.history.total_work());
    CHECK(report.facts->signers == std::vector<std::string>{"n2", "n4"});
  });
}

TEST_CASE("the head of a work proof is the newest block with a certificate") {
  ReceiptChain chain = receipt_chain();
  chain.add({.events = {20}});
  with_both(chain, [&](store::Store&, store::ChainReader& reader) {
    const auto proof = store::WorkProofMaker(reader, chain.state.genesis).make(kSampling);
    REQUIRE_MESSAGE(proof, proof.error().message);
    CHECK(proof->head.block.header.height.value == 11);
  });
}

TEST_CASE("without certificates, without work, and of no parameters there is no work proof") {
  ReceiptChain chain(receipt_genesis());
  chain.add({.events = {1}});
  with_both(chain, [&](store::Store&, store::ChainReader& reader) {
    const store::WorkProofMaker maker(reader, chain.state.genesis);
    CHECK(maker.make(kSampling).error().code == ErrorCode::kUnavailable);
    CHECK(maker.make({WorkShare::kHalf, 0, 3}).error().code == ErrorCode::kInvalid);
  });
  const ReceiptChain idle = receipt_chain(WorkFunction::kNone);
  store::MemoryStore store(idle.state.genesis);
  write_chain(store, idle);
  const auto none = store::WorkProofMaker(store, idle.state.genesis).make(kSampling);
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::kInvalid);
  CHECK(none.error().message.find("no work to prove") != std::string::npos);
}

TEST_CASE("damage on the disk never leaves as a work proof") {
  const ReceiptChain chain = receipt_chain();
  Damaged store(chain.state.genesis);
  write_chain(store, chain);
  const store::WorkProofMaker maker(store, chain.state.genesis);
  REQUIRE(maker.make(kSampling));
  const auto nodes = maker.make(kSampling)->nodes.size();
  std::size_t noticed = 0;
  for (store.number = 0; store.number < chain.history.size(); ++store.number) {
    const auto proof = maker.make(kSampling);
    if (proof) continue;
    CHECK(proof.error().code == ErrorCode::kCorrupt);
    CHECK(proof.error().message.find("verify this") != std::string::npos);
    ++noticed;
  }
  // Each that a proof hangs on.
  CHECK(noticed >= nodes);
}
