#include "node/evidence_file.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <fstream>
#include <iterator>

#include "chain/genesis.h"
#include "tests/unit/temporary_directory.h"

using namespace eventchain;
using namespace eventchain::node;

namespace {

namespace json = boost::json;

chain::SealedHeader block(std::uint64_t height, std::uint8_t mark) {
  chain::SealedHeader sealed;
  sealed.header.height = {height};
  sealed.header.log_root.octets[0] = mark;
  sealed.header.share_target = chain::CompactTarget{0x1f7fffff};
  sealed.header.share_count = 1;
  sealed.seal.shares = {{7, mark}};
  return sealed;
}

Evidence evidence(std::uint8_t mark = 2) {
  chain::Signature signature;
  signature.octets[0] = mark;
  chain::MemberSet members;
  members.members.emplace_back();
  members.members[0].name = "alpha";
  Evidence made;
  made.own = block(5, 1);
  made.own_signatures = {{chain::Slot{0}, signature}};
  made.others = {block(6, mark), block(7, mark)};
  made.others_signatures = {{chain::Slot{0}, signature}, {chain::Slot{3}, signature}};
  made.members = std::make_shared<const chain::MemberSet>(members);
  return made;
}

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

chain::SealedHeader sealed_in(const json::value& block) {
  const auto octets = chain::from_hex(std::string(block.at("sealed").as_string()));
  REQUIRE(octets.has_value());
  const auto sealed = chain::decode_sealed_header(*octets);
  REQUIRE(sealed.has_value());
  CHECK(block.at("id").as_string() == to_hex(chain::block_id(*sealed)));
  return *sealed;
}

}  // namespace

TEST_CASE("evidence on disk has all that it takes to check it") {
  const TemporaryDirectory scratch;
  const auto folder = scratch.path() / kEvidenceFolder;
  const Evidence made = evidence();
  const auto file = keep_evidence(folder, made);
  REQUIRE_MESSAGE(file.has_value(), file.error().message);
  CHECK(file->filename().string().rfind("fork-5-", 0) == 0);

  const json::value read = json::parse(content(*file));
  CHECK(sealed_in(read.at("own").at("block")) == made.own);
  const json::array& others = read.at("other").at("blocks").as_array();
  REQUIRE(others.size() == 2);
  CHECK(sealed_in(others[0]) == made.others[0]);
  CHECK(sealed_in(others[1]) == made.others[1]);
  const json::array& signatures = read.at("other").at("signatures").as_array();
  REQUIRE(signatures.size() == 2);
  CHECK(signatures[1].at("slot").to_number<int>() == 3);
  CHECK(signatures[1].at("signature").as_string() == to_hex(made.others_signatures[1].signature));
  CHECK(read.at("members").as_string() == chain::to_hex(chain::encode_member_set(*made.members)));
}

TEST_CASE("the same evidence is kept once, other evidence beside it, and never too much") {
  const TemporaryDirectory scratch;
  const auto folder = scratch.path() / kEvidenceFolder;
  const auto first = keep_evidence(folder, evidence());
  REQUIRE(first.has_value());
  std::ofstream(*first) << "as it is";
  CHECK(*keep_evidence(folder, evidence()) == *first);
  CHECK(content(*first) == "as it is");

  for (std::size_t mark = 3; mark < kEvidenceFilesMax + 2; ++mark)
    REQUIRE(keep_evidence(folder, evidence(static_cast<std::uint8_t>(mark))).has_value());
  const auto refused = keep_evidence(folder, evidence(200));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.find("64 files") != std::string::npos);
  CHECK(keep_evidence(folder, evidence()).has_value());
  const auto entries = std::filesystem::directory_iterator(folder);
  CHECK(std::distance(begin(entries), end(entries)) == kEvidenceFilesMax);
  CHECK(count_evidence(folder) == kEvidenceFilesMax);
  CHECK(count_evidence(scratch.path() / "gone") == 0);
}

TEST_CASE("evidence that cannot be written is an error that names the place") {
  const TemporaryDirectory scratch;
  const auto missing = scratch.path() / "gone" / kEvidenceFolder;
  const auto refused = keep_evidence(missing, evidence());
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.find(missing.string()) != std::string::npos);
}

TEST_CASE("evidence is written to no place that a link leads to") {
  const TemporaryDirectory scratch;
  const auto folder = scratch.path() / kEvidenceFolder;
  std::filesystem::create_directory(folder);
  const auto elsewhere = scratch.path() / "elsewhere";
  std::ofstream(elsewhere) << "as it was";
  std::filesystem::create_symlink(elsewhere, folder / "two.txt.new");
  const auto file = keep_text(folder, "two.txt", "two histories");
  REQUIRE_MESSAGE(file.has_value(), file.error().message);
  CHECK(content(*file) == "two histories");
  CHECK(content(elsewhere) == "as it was");
  CHECK_FALSE(std::filesystem::is_symlink(*file));
}
