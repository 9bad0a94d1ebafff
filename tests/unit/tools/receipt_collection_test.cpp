#include "tools/eventchain/receipt_collection.h"

#include <algorithm>

#include "made_up_chain.h"
#include "node/api/receipt_json.h"
#include "store/receipt_maker.h"
#include "tools/eventchain/cold_reader.h"
#include "tools/eventchain/session.h"

using namespace made_up;

namespace {

// A source with a log of ten true receipts that may list it otherwise than it is.
class Lister final : public ReceiptSource {
 public:
  explicit Lister(const Written& written)
      : reader_(ColdReader::open(written.database, written.genesis, 1).value()),
        maker_(*reader_, written.genesis) {
    const auto first = reader_->log(chain::Position{0}, 10);
    REQUIRE_MESSAGE(first, first.error().message);
    for (const store::PlacedEvent& placed : *first) listed.push_back(placed.event.facts.key);
    REQUIRE(listed.size() == 10);
  }

  std::vector<chain::EventKey> listed;
  std::size_t asked = 0;

  std::vector<chain::Result<std::string>> receipts(
      const std::vector<chain::EventKey>& keys) override {
    std::vector<chain::Result<std::string>> made;
    for (const chain::EventKey& key : keys)
      made.push_back(node::api::format_receipt(maker_.make({key}).value()));
    asked += keys.size();
    return made;
  }
  std::vector<chain::EventKey> stream(const std::string&, std::uint64_t) override { return {}; }
  std::vector<chain::EventKey> log(std::uint64_t from) override {
    return {
        listed.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(from, listed.size())),
        listed.end()};
  }
  std::uint64_t log_size() override { return listed.size(); }

 private:
  ColdReader reader_;
  store::ReceiptMaker maker_;
};

// What the command would have ended with; empty: it got everything.
std::string failure_of(Lister& source, const std::string& out) {
  try {
    ReceiptCollection(source, out, false).get_range({});
    return "";
  } catch (const CommandFailed& failure) {
    CHECK(failure.exit == Exit::kTampered);
    return failure.message;
  }
}

}  // namespace

TEST_CASE("receipts of a range are those of its positions, whatever the node lists") {
  const Written written;
  TemporaryDirectory out;
  Lister honest(written);
  CHECK(failure_of(honest, out.file("honest")) == "");
  CHECK(honest.asked == 10);

  Lister swapping(written);
  std::swap(swapping.listed[3], swapping.listed[4]);
  CHECK(failure_of(swapping, out.file("swapped")).find("proves position 4, and was listed at 3") !=
        std::string::npos);

  Lister repeating(written);
  repeating.listed[7] = repeating.listed[6];
  CHECK(failure_of(repeating, out.file("twice")).find("proves position 6, and was listed at 7") !=
        std::string::npos);

  Lister skipping(written);
  skipping.listed.erase(skipping.listed.begin() + 2);
  CHECK(failure_of(skipping, out.file("gap")).find("proves position 3, and was listed at 2") !=
        std::string::npos);
}

TEST_CASE("receipts that an earlier run has left are of the position, too, or are got again") {
  const Written written;
  TemporaryDirectory out;
  Lister first(written);
  REQUIRE(failure_of(first, out.file("kept")) == "");
  Lister again(written);
  CHECK(failure_of(again, out.file("kept")) == "");
  CHECK(again.asked == 0);
  // Whole receipts, of the event; the node lists it elsewhere now.
  Lister lying(written);
  std::swap(lying.listed[0], lying.listed[1]);
  CHECK(failure_of(lying, out.file("kept")).find("proves position 1, and was listed at 0") !=
        std::string::npos);
}
