#include "store/receipt_maker.h"

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

// The same story with the store in memory and the one on disk.
struct Subject {
  const ReceiptChain& chain;
  store::Store& store;
  store::ChainReader& reader;

  [[nodiscard]] Result<Receipt> make(const store::ReceiptWish& wish) const {
    return store::ReceiptMaker(reader, chain.state.genesis).make(wish);
  }
  [[nodiscard]] Result<Receipt> make_of_block(Height height,
                                              const store::ReceiptShape& shape) const {
    return store::ReceiptMaker(reader, chain.state.genesis).make_of_block(height, shape);
  }
  [[nodiscard]] ReceiptReport verify(const Receipt& receipt) const {
    return verify_receipt(receipt, {chain.state.genesis, nullptr, std::nullopt});
  }
};

void with_both(const ReceiptChain& chain, const std::function<void(Subject&)>& story) {
  const Genesis& genesis = chain.state.genesis;
  SUBCASE("in memory") {
    store::MemoryStore store(genesis);
    write_chain(store, chain);
    Subject subject{chain, store, store};
    story(subject);
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
    Subject subject{chain, **store, **reader};
    story(subject);
  }
}

// Every field that a receipt has, but for the order of the member sets.
void check_same(const Receipt& a, const Receipt& b) {
  CHECK(a.chain == b.chain);
  CHECK(a.shown == b.shown);
  CHECK(a.what == b.what);
  CHECK(a.block == b.block);
  CHECK(a.newer == b.newer);
  CHECK(a.certificate == b.certificate);
  CHECK(a.voters == b.voters);
  CHECK(a.consistency == b.consistency);
  CHECK(a.member_sets.size() == b.member_sets.size());
}

EventKey key_of(std::uint64_t number) {
  return event_of(number).facts.key;
}

}  // namespace

TEST_CASE(
    "a store makes the receipt of every event and rejection, the same in memory and on disk") {
  with_both(receipt_chain(), [](Subject& subject) {
    for (std::uint64_t height = 1; height <= 11; ++height) {
      const MadeBlock& block = subject.chain.at(height);
      for (std::size_t i = 0; i < block.events.size(); ++i) {
        INFO("event ", i, " of block ", height);
        const auto made = subject.make({block.events[i].facts.key});
        REQUIRE_MESSAGE(made.has_value(), made.error().message);
        check_same(*made, subject.chain.of_event(height, i));
        CHECK(subject.verify(*made).is_proved());
      }
      for (std::size_t i = 0; i < block.rejected.size(); ++i) {
        INFO("rejection ", i, " of block ", height);
        const auto made = subject.make({block.rejected[i].facts.key});
        REQUIRE_MESSAGE(made.has_value(), made.error().message);
        check_same(*made, subject.chain.of_rejection(height, i));
        CHECK(subject.verify(*made).is_proved());
      }
    }
  });
}

TEST_CASE("every certified block has its receipt, and no other height has one") {
  ReceiptChain chain = receipt_chain();
  chain.add({.events = {20}, .signatures = {{2, 2}}});
  with_both(chain, [](Subject& subject) {
    for (std::uint64_t height = 1; height <= 11; ++height) {
      INFO("block ", height);
      const auto made = subject.make_of_block(Height{height}, {});
      REQUIRE_MESSAGE(made.has_value(), made.error().message);
      check_same(*made, subject.chain.of_block(height));
      CHECK(subject.verify(*made).is_proved());
    }
    const auto newest =
        subject.make_of_block(Height{2}, {store::ReceiptEnd::kNewest, std::uint64_t{19}});
    REQUIRE_MESSAGE(newest.has_value(), newest.error().message);
    CHECK(newest->newer->sealed.header.height == Height{11});
    CHECK(newest->consistency->size == 19);
    CHECK(subject.make_of_block(Height{12}, {}).error().code == ErrorCode::kUnavailable);
    CHECK(subject.make_of_block(Height{13}, {}).error().code == ErrorCode::kNotFound);
    CHECK(subject.make_of_block(Height{0}, {}).error().code == ErrorCode::kNotFound);
    CHECK(subject.make_of_block(Height{~std::uint64_t{0}}, {}).error().code ==
          ErrorCode::kNotFound);
  });
}

TEST_CASE("a receipt that ends with the newest certificate tells the work since") {
  with_both(receipt_chain(), [](Subject& subject) {
    const auto made = subject.make({key_of(1), {store::ReceiptEnd::kNewest}});
    REQUIRE_MESSAGE(made.has_value(), made.error().message);
    check_same(*made, subject.chain.of_event(1, 0, 11));
    const ReceiptReport report = subject.verify(*made);
    REQUIRE(report.is_proved());
    CHECK(*report.facts->work_since == U256(11 * 3 * 16));
    // Of the newest block itself there is no newer one.
    CHECK_FALSE(subject.make({key_of(19), {store::ReceiptEnd::kNewest}})->newer.has_value());
  });
}

TEST_CASE("a receipt leads to the log of any size that the node has had") {
  with_both(receipt_chain(), [](Subject& subject) {
    for (std::uint64_t size = 0; size <= 19; ++size) {
      INFO("size ", size);
      const auto made = subject.make({key_of(8), {store::ReceiptEnd::kFirst, size}});
      REQUIRE_MESSAGE(made.has_value(), made.error().message);
      const auto root = root_at(size, subject.chain.tree_reader());
      REQUIRE(root.has_value());
      const ReceiptReport report =
          verify_receipt(*made, {subject.chain.state.genesis, nullptr,
                                 KnownLog{log_origin(made->chain), size, *root, {}}});
      REQUIRE(report.find("checkpoint") != nullptr);
      CHECK(report.find("checkpoint")->state == StepState::kPassed);
    }
    const auto beyond = subject.make({key_of(8), {store::ReceiptEnd::kFirst, 20}});
    REQUIRE_FALSE(beyond.has_value());
    CHECK(beyond.error().code == ErrorCode::kNotFound);
  });
}

TEST_CASE("what is not there, or not certified yet, has no receipt, and the error says which") {
  ReceiptChain chain = receipt_chain();
  chain.add({.events = {20}});
  chain.add(
      {.events = {21}, .rejected = {{109, RejectionReason::kKeyTaken}}, .signatures = {{2, 2}}});
  with_both(chain, [](Subject& subject) {
    const auto unknown = subject.make({key_of(77)});
    REQUIRE_FALSE(unknown.has_value());
    CHECK(unknown.error().code == ErrorCode::kNotFound);
    for (const std::uint64_t number : {20U, 21U, 109U}) {
      const auto early = subject.make({key_of(number)});
      REQUIRE_FALSE(early.has_value());
      CHECK(early.error().code == ErrorCode::kUnavailable);
      const auto newest = subject.make({key_of(number), {store::ReceiptEnd::kNewest}});
      REQUIRE_FALSE(newest.has_value());
      CHECK(newest.error().code == ErrorCode::kUnavailable);
    }
    CHECK(subject.make({key_of(19)}).has_value());
  });
}

TEST_CASE("a signature that a bad disk altered is left out, and not missed where others suffice") {
  with_both(receipt_chain(), [](Subject& subject) {
    const auto spoil = [&](std::uint64_t height, std::uint16_t slot) {
      SlotSignature one{Slot{slot}, {}};
      one.signature.octets.fill(0x5a);
      subject.store.turns().begin();
      subject.store.chain().put_signature(Height{height}, one);
      subject.store.turns().commit();
    };
    spoil(1, 1);
    const auto made = subject.make({key_of(1)});
    REQUIRE_MESSAGE(made.has_value(), made.error().message);
    CHECK(made->certificate.size() == 2);
    CHECK_FALSE(made->newer.has_value());
    spoil(1, 0);  // now block 2 stands for it
    const auto later = subject.make({key_of(1)});
    REQUIRE_MESSAGE(later.has_value(), later.error().message);
    CHECK(later->newer->sealed.header.height == Height{2});
    spoil(6, 1);  // nobody gets past block 6 any more
    const auto cut_off = subject.make({key_of(19)});
    REQUIRE_FALSE(cut_off.has_value());
    CHECK(cut_off.error().code == ErrorCode::kUnavailable);
    CHECK(cut_off.error().message.find("block 6") != std::string::npos);
    CHECK(subject.make({key_of(4)}).has_value());
  });
}

TEST_CASE("readers tell the nodes of the history, who changed members and what is signed") {
  with_both(receipt_chain(), [](Subject& subject) {
    for (std::uint64_t number = 0; number < subject.chain.history.size(); ++number)
      CHECK(subject.reader.history_node(number).value() == subject.chain.history[number]);
    CHECK(subject.reader.history_node(subject.chain.history.size()).error().code ==
          ErrorCode::kNotFound);
    const std::vector<Height> changes = {Height{4}, Height{5}, Height{6}, Height{8}, Height{10}};
    CHECK(subject.reader.member_changes() == changes);
    CHECK(subject.reader.next_signed(Height{0}) == Height{1});
    CHECK(subject.reader.next_signed(Height{3}) == Height{4});
    CHECK(subject.reader.next_signed(Height{11}) == Height{11});
    CHECK_FALSE(subject.reader.next_signed(Height{12}).has_value());
  });
}
