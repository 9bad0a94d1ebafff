#include <fmt/format.h>

#include "chain/keys.h"
#include "chain/log_tree.h"
#include "chain/note.h"
#include "tests/unit/node/api_fakes.h"

using namespace api_test;

namespace {

// RFC 8032, section 7.1, test 1.
constexpr const char* kKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

chain::Commitment commitment(std::uint64_t position) {
  chain::Commitment made;
  for (std::size_t i = 0; i < 8; ++i)
    made.octets[i] = static_cast<std::uint8_t>(position >> (8 * i));
  return made;
}

// A log of so many entries, in blocks of so many.
chain::LogTree fill(FakeReader& reader, std::uint64_t size, std::uint64_t block_size) {
  chain::LogTree tree;
  std::vector<chain::TreeHash> hashes;
  store::StoredBlock block;
  for (std::uint64_t at = 0; at < size; ++at) {
    tree.append(chain::log_leaf(commitment(at)), &hashes);
    store::PlacedEvent placed;
    placed.height = chain::Height{at / block_size + 1};
    placed.position = chain::Position{at};
    reader.placed_events.push_back(placed);
    if (at % block_size == 0) block = store::StoredBlock{{}, {}, at};
    block.block.content.entries.push_back({{}, commitment(at)});
    reader.blocks[placed.height] = block;
  }
  for (const chain::TreeHash& one : hashes) reader.tree[{one.level, one.index}] = one.hash;
  reader.tip_info.log_size = size;
  return tree;
}

chain::Hash hash_at(const std::string& octets, std::size_t index) {
  REQUIRE(octets.size() >= 32 * (index + 1));
  return *chain::Hash::from(std::string_view(octets).substr(32 * index, 32));
}

}  // namespace

TEST_CASE("whoever has the tiles has the tree") {
  Fixture fixture;
  constexpr std::uint64_t kSize = 600;
  const chain::LogTree tree = fill(fixture.reader, kSize, 37);
  const auto full = fixture.get("/tile/0/001");
  CHECK(full.status == 200);
  CHECK(full.content_type == "application/octet-stream");
  CHECK(header_of(full, "Cache-Control") == "public, max-age=31536000, immutable");
  CHECK(full.body.size() == std::size_t{256} * 32);
  CHECK(hash_at(full.body, 3) == chain::log_leaf(commitment(256 + 3)));
  CHECK(header_of(fixture.get("/tile/0/002.p/88"), "Cache-Control") == "public, max-age=60");
  // The root from what a client can fetch alone: two full tiles and the rest of the third.
  const chain::TreeReader fetch = [&](std::uint8_t level,
                                      std::uint64_t index) -> chain::Result<chain::Hash> {
    const std::uint64_t hashes = kSize >> level;
    const std::uint64_t number = index / 256;
    const std::uint64_t width = std::min<std::uint64_t>(256, hashes - number * 256);
    std::string path = fmt::format("/tile/{}/{:03}", level / 8, number);
    if (width < 256) path += fmt::format(".p/{}", width);
    const auto answer = fixture.get(path);
    REQUIRE(answer.status == 200);
    CHECK(answer.body.size() == width * 32);
    return hash_at(answer.body, index % 256);
  };
  CHECK(chain::root_at(kSize, fetch) == tree.root());
  const auto path = chain::inclusion_proof(123, kSize, fetch);
  REQUIRE(path.has_value());
  CHECK(chain::verify_inclusion(123, kSize, chain::log_leaf(commitment(123)), *path, tree.root()));
}

TEST_CASE("a full tile with a damaged hash does not leave") {
  Fixture fixture;
  fill(fixture.reader, 600, 600);
  fixture.reader.tree[{0, 300}].octets[31] ^= 1;
  CHECK(fixture.get("/tile/0/000").status == 200);
  const auto answer = fixture.get("/tile/0/001");
  CHECK(answer.status == 500);
  CHECK(contains(answer.body, "does not hash to what is stored above"));
}

TEST_CASE("bundles have the entries that the hashes of level 0 stand for, across blocks") {
  Fixture fixture;
  fill(fixture.reader, 600, 37);
  struct Bundle {
    const char* path;
    std::uint64_t first;
    std::size_t count;
  };
  for (const Bundle& bundle :
       {Bundle{"/tile/entries/000", 0, 256}, Bundle{"/tile/entries/002.p/88", 512, 88}}) {
    const auto answer = fixture.get(bundle.path);
    INFO(bundle.path);
    REQUIRE(answer.status == 200);
    REQUIRE(answer.body.size() == bundle.count * 35);
    for (std::size_t i = 0; i < bundle.count; ++i) {
      const std::string_view record = std::string_view(answer.body).substr(i * 35, 35);
      CHECK(record.substr(0, 2) == std::string_view("\0\x21", 2));
      CHECK(chain::tree_leaf(record.substr(2)) == chain::log_leaf(commitment(bundle.first + i)));
    }
  }
}

TEST_CASE("a tile that is not there yet, or is written otherwise, is refused with a remedy") {
  Fixture fixture;
  fill(fixture.reader, 600, 600);
  for (const char* path :
       {"/tile/0/002", "/tile/0/002.p/89", "/tile/0/003.p/1", "/tile/1/000", "/tile/1/000.p/3",
        "/tile/2/000.p/1", "/tile/9/000", "/tile/63/000", "/tile/entries/002",
        "/tile/0/x018/x446/x744/x073/x709/550", "/tile/entries/x001/000"}) {
    INFO(path);
    const auto answer = fixture.get(path);
    CHECK(answer.status == 404);
    CHECK(contains(answer.body, "600 entries"));
  }
  for (const char* path : {"/tile/0/0",
                           "/tile/0/0000",
                           "/tile/0/x000/001",
                           "/tile/0/001/x002",
                           "/tile/0/x001",
                           "/tile/0/000.p/0",
                           "/tile/0/000.p/256",
                           "/tile/0/000.p/01",
                           "/tile/0/000.p",
                           "/tile/0/-01",
                           "/tile/0/",
                           "/tile/0/000/",
                           "/tile/0//000",
                           "/tile/x/000",
                           "/tile/64/000",
                           "/tile/-1/000",
                           "/tile/0/x999/x999/x999/x999/x999/x999/999",
                           "/tile/0/x072/x057/x594/x037/x927/936",
                           "/tile/entries/abc",
                           "/tile/0/000.p/1.p/1"}) {
    INFO(path);
    CHECK(fixture.get(path).status == 400);
  }
  CHECK(fixture.get("/tile/0").status == 404);
}

TEST_CASE("the checkpoint is the newest final block's certificate") {
  Fixture fixture;
  CHECK(fixture.get("/checkpoint").status == 404);
  const auto key = chain::Ed25519::from_pem(kKey);
  REQUIRE(key.has_value());
  chain::Member& member = fixture.reader.member_set.members.at(0);
  member.signing_key = (*key)->public_key();
  chain::SealedHeader& sealed = fixture.reader.blocks[chain::Height{4}].block.sealed;
  sealed.header.height = chain::Height{4};
  sealed.header.log_size = 600;
  fixture.port.final_height = chain::Height{4};
  const chain::Bytes statement = chain::certified_statement(sealed.header, block_id(sealed));
  chain::Signature forged;
  fixture.reader.signatures = {{member.slot, (*key)->sign(statement)},
                               {chain::Slot{5}, (*key)->sign(statement)}};
  const auto answer = fixture.get("/checkpoint");
  CHECK(answer.status == 200);
  CHECK(answer.content_type == "text/plain; charset=utf-8");
  const auto note = chain::decode_note(answer.body);
  REQUIRE(note.has_value());
  const std::string origin = "eventchain/" + std::string(64, '0');
  CHECK(note->text == statement);
  CHECK(note->text.starts_with(origin + "\n600\n"));
  REQUIRE(note->signatures.size() == 1);  // of nobody who is no member
  CHECK(note->signatures[0].name == origin);
  CHECK(note->signatures[0].key == chain::note_key_id(origin, member.signing_key));
  CHECK(chain::verify_ed25519(member.signing_key, note->text,
                              *chain::Signature::from(note->signatures[0].signature)));
  // Damaged on this node's disk: not passed on.
  fixture.reader.signatures = {{member.slot, forged}};
  CHECK(fixture.get("/checkpoint").status == 500);
}
