#include "chain/work.h"

#include <doctest/doctest.h>

#include <vector>

#include "chain/hash.h"
#include "chain/rules.h"
#include "chain_fixture.h"

using namespace eventchain::chain;
using namespace eventchain::chain::testing;

TEST_CASE("each work function that needs nothing but itself has its digest") {
  SharePreimage preimage;
  preimage.octets[3] = 7;
  for (const WorkFunction function : {WorkFunction::kSha256, WorkFunction::kNone}) {
    const ShareDigest* digest = plain_digest(function);
    REQUIRE(digest != nullptr);
    CHECK(digest->function() == function);
  }
  CHECK(plain_digest(WorkFunction::kRandomXV1) == nullptr);
  CHECK(plain_digest(WorkFunction::kSha256)->digest(preimage) == sha256(preimage.view()));
  CHECK(plain_digest(WorkFunction::kNone)->digest(preimage) == Hash{});
}

TEST_CASE("without work every nonce of a member is a share, and a block's work is one") {
  Genesis genesis = small_genesis();
  genesis.work_function = WorkFunction::kNone;
  genesis.share_count = 1;
  Growing chain(genesis);
  const ShareDigest& digest = *plain_digest(WorkFunction::kNone);
  for (std::uint64_t height = 1; height <= 5; ++height) {
    const TemplateHeader header = chain.assemble_next().made.header;
    CHECK(header.share_target == genesis.first_target);
    CHECK(block_work(header) == U256(1));
    for (std::uint16_t slot = 0; slot < 3; ++slot)
      CHECK(check_share(chain.state, digest, header, {nonce_high(Slot{slot}, 9, height), 7}).ok());
    CHECK(check_share(chain.state, digest, header, {nonce_high(Slot{3}, 0, 0), 0}).rule ==
          Rule::kShareSlotUnknown);
    chain.commit(chain.assemble_next());
  }
}

TEST_CASE("shares are judged by the digest that is handed in, a whole seal's at once") {
  // Of the function that another library computes: here whatever the test wants.
  struct Stub final : ShareDigest {
    [[nodiscard]] WorkFunction function() const override { return WorkFunction::kRandomXV1; }
    [[nodiscard]] Hash digest(const SharePreimage& preimage) const override {
      Hash hash;
      if (preimage == miss) hash.octets.fill(0xff);
      return hash;
    }
    [[nodiscard]] std::vector<Hash> digests(
        std::span<const SharePreimage> preimages) const override {
      at_once.push_back(preimages.size());
      return ShareDigest::digests(preimages);
    }
    [[nodiscard]] std::optional<Hash> again(const SharePreimage&) const override { return second; }
    SharePreimage miss;
    std::optional<Hash> second;
    mutable std::vector<std::size_t> at_once;
  };
  Genesis genesis = small_genesis();
  genesis.work_function = WorkFunction::kRandomXV1;
  Growing chain(genesis);
  const TemplateHeader header = chain.assemble_next().made.header;
  Stub digest;
  SealedHeader sealed{header, {header.time, {}}};
  for (std::uint32_t low = 0; low < header.share_count; ++low)
    sealed.seal.shares.push_back({nonce_high(Slot{1}, 0, 0), low});
  CHECK(check_seal(chain.state, digest, sealed).ok());
  CHECK(digest.at_once == std::vector<std::size_t>{4});
  digest.miss = share_preimage(header, sealed.seal.shares[2]);
  CHECK(check_seal(chain.state, digest, sealed).rule == Rule::kShareMissesTarget);
  CHECK(check_share(chain.state, digest, header, sealed.seal.shares[2]).rule ==
        Rule::kShareMissesTarget);
  CHECK(check_share(chain.state, digest, header, sealed.seal.shares[1]).ok());
  // A miss that the second look does not confirm is none.
  digest.second = Hash{};
  CHECK(check_seal(chain.state, digest, sealed).ok());
  CHECK(check_share(chain.state, digest, header, sealed.seal.shares[2]).ok());
  digest.second.reset();
  // A slot that nobody has is refused before anything is computed.
  sealed.seal.shares.back().high = nonce_high(Slot{3}, 0, 0);
  CHECK(check_seal(chain.state, digest, sealed).rule == Rule::kShareSlotUnknown);
  CHECK(digest.at_once.size() == 3);
}
