#include "tools/eventchain/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "chain/hash.h"
#include "store/sqlite/chain_scan.h"
#include "store/sqlite/file_state.h"
#include "store/sqlite/light_scan.h"
#include "store/sqlite/lock_file.h"
#include "store/sqlite/sqlite_store.h"
#include "tools/eventchain/block_pass.h"
#include "tools/eventchain/body_pass.h"
#include "tools/eventchain/cold_reader.h"
#include "tools/eventchain/header_pass.h"
#include "tools/eventchain/index_pass.h"
#include "tools/eventchain/kept_files.h"
#include "tools/eventchain/side_by_side.h"
#include "tools/eventchain/signature_pass.h"

namespace eventchain::tools {

using chain::Result;
using store::ChainScan;

namespace {

constexpr std::uint64_t kHeadersPerReport = 4096;
constexpr std::uint64_t kSignedBlocksAtOnce = 256;

// Whether a node has it open.
bool is_in_use(const std::string& database) {
  std::error_code failed;
  const auto file = std::filesystem::canonical(database, failed);
  return store::LockFile::is_held(database + ".lock") ||
         (!failed && store::LockFile::is_held(file.string() + ".lock"));
}

Result<VerifyReport> verify_headers(const VerifyOptions& options) {
  VerifyReport report;
  // Whoever put it there would have bodies go unseen.
  if (std::filesystem::path(options.database).filename() == store::kDatabaseName)
    report.findings.add(
        {"database", 0,
         fmt::format("it is a light member's, and stands where a full node has its own ({}): it "
                     "holds headers and certificates, and neither events nor bodies",
                     store::kDatabaseName)});
  const auto scan = store::open_light_scan(options.database, options.genesis);
  if (!scan) return tl::unexpected<chain::Error>(scan.error());
  HeaderPass pass(options, report.findings);
  const auto note = [&](const Result<void>& read) {
    if (!read) report.findings.add({"database", 0, read.error().message});
  };
  const std::uint64_t total = (*scan)->blocks_end().value_or(0);
  std::uint64_t done = 0;
  note((*scan)->blocks([&](const store::LightScan::BlockRow& row) {
    pass.visit(row);
    if (options.progress && ++done % kHeadersPerReport == 0)
      options.progress(VerifyStage::kHeaders, done, total);
  }));
  note((*scan)->member_sets([&](const store::LightScan::MemberRow& row) { pass.visit(row); }));
  pass.finish(**scan, report);
  report.is_live = is_in_use(options.database);
  if (options.against != nullptr) options.against->judge(pass.chain(), nullptr, report);
  return report;
}

// What remains once the blocks are known, in pieces that any thread may take: each index, and the
// signatures of some blocks at a time. Findings come in the order of the pieces.
class ClosingWork {
 public:
  ClosingWork(const VerifyOptions& options, const BodyPass& bodies, const BlockPass& blocks)
      : options_(options),
        bodies_(bodies),
        blocks_(blocks),
        pieces_(kIndexes +
                (blocks.chain().ids.size() + kSignedBlocksAtOnce - 1) / kSignedBlocksAtOnce) {}

  void run(VerifyReport& report, Found& found) {
    side_by_side(
        options_.threads, [this] { work(); },
        [this] {
          if (options_.progress)
            options_.progress(VerifyStage::kClosing, next_.load(), pieces_.size());
        });
    for (Piece& piece : pieces_) {
      report.signatures += piece.sound;
      report.certified = std::max(report.certified, piece.certified);
      found.add_all(piece.found);
    }
  }

 private:
  static constexpr std::size_t kIndexes = 2;  // of keys and of streams
  struct Piece {
    Found found;
    std::uint64_t sound = 0;
    chain::Height certified;
  };

  void work() {
    const auto scan = store::open_scan(options_.database, options_.genesis);
    for (std::size_t at = next_++; at < pieces_.size(); at = next_++)
      if (scan)
        take(at, **scan);
      else
        pieces_[at].found.surely.add({"database", 0, scan.error().message});
  }

  void take(std::size_t at, ChainScan& scan) {
    Piece& piece = pieces_[at];
    if (at < kIndexes) {
      IndexPass pass(bodies_, blocks_.suspects(), piece.found);
      at == 0 ? pass.read_keys(scan) : pass.read_streams(scan);
      return;
    }
    const std::uint64_t blocks = blocks_.chain().ids.size();
    const std::uint64_t first = (at - kIndexes) * kSignedBlocksAtOnce;
    SignaturePass pass(blocks_.chain(), piece.found.surely);
    pass.run(scan, first, std::min(first + kSignedBlocksAtOnce, blocks));
    piece.sound = pass.sound();
    piece.certified = pass.certified();
  }

  const VerifyOptions& options_;
  const BodyPass& bodies_;
  const BlockPass& blocks_;
  std::vector<Piece> pieces_;
  std::atomic<std::size_t> next_{0};
};

void check_member_sets(ChainScan& scan, const VerifiedChain& chain, Found& found) {
  auto expected = chain.sets;
  const auto bad = [&](std::uint64_t height, const char* what) {
    found.surely.add({"member-set", height, what});
  };
  const auto read = scan.member_sets([&](const ChainScan::MemberRow& row) {
    if (chain::sha256(row.encoded).view() != row.hash)
      bad(row.height, "it does not hash to what is stored beside it");
    const auto made = expected.find(row.height);
    if (made == expected.end()) {
      // Above a block that could not be followed nobody knows which sets there should be.
      if (chain.is_whole)
        (row.height < chain.blocks_end ? found.surely : found.unless_grown)
            .add({"member-set", row.height, "it is stored, and no block made it"});
      return;
    }
    if (chain::encode_member_set(*made->second) != row.encoded)
      bad(row.height, "it is not the one that the blocks make");
    expected.erase(made);
  });
  if (!read) return found.surely.add({"database", 0, read.error().message});
  for (const auto& one : expected) bad(one.first, "it is not stored");
}

Result<VerifyReport> verify_all(const VerifyOptions& options) {
  VerifyReport report;
  const auto scan = store::open_scan(options.database, options.genesis);
  if (!scan) return tl::unexpected<chain::Error>(scan.error());
  const auto others = store::open_scan(options.database, options.genesis);
  if (!others) return tl::unexpected<chain::Error>(others.error());
  const auto extent = (*scan)->extent();
  if (!extent) return tl::unexpected<chain::Error>(extent.error());
  Found found;
  for (const std::string& fault : extent->faults) found.surely.add({"database", 0, fault});
  const auto bodies = BodyPass::run(options, *extent, found.surely);
  if (!bodies) return tl::unexpected<chain::Error>(bodies.error());

  BlockPass blocks(options, *bodies, **others, found);
  const auto read =
      (*scan)->blocks(extent->blocks, [&](const ChainScan::BlockRow& row) { blocks.visit(row); });
  if (!read) found.surely.add({"database", 0, read.error().message});
  blocks.finish(*extent, report);
  check_member_sets(**scan, blocks.chain(), found);
  ClosingWork(options, *bodies, blocks).run(report, found);
  const auto beyond = (*scan)->signatures_beyond(blocks.chain().blocks_end);
  if (!beyond)
    found.surely.add({"database", 0, beyond.error().message});
  else {
    const auto told = [](Findings& findings, std::uint64_t count) {
      if (count > 0)
        findings.add(
            {"database", 0, fmt::format("{} signatures are on blocks that are not there", count)});
    };
    told(found.surely, beyond->below_zero);
    told(found.unless_grown, beyond->above);
  }

  // After the last read: whatever came later came with a block.
  const auto by_now = (*scan)->blocks_by_now();
  report.has_grown = by_now && *by_now > extent->blocks;
  report.is_live = report.has_grown || is_in_use(options.database);
  report.findings.add_all(found.surely);
  if (!report.has_grown) report.findings.add_all(found.unless_grown);
  if (options.against != nullptr) options.against->judge(blocks.chain(), &*bodies, report);
  report.octets = bodies->octets();
  return report;
}

}  // namespace

std::string database_in(const std::filesystem::path& data) {
  if (!std::filesystem::is_directory(data)) return data.string();
  const std::filesystem::path full = data / store::kDatabaseName;
  const std::filesystem::path light = data / store::kLightDatabaseName;
  const bool is_light = !std::filesystem::exists(full) && std::filesystem::exists(light);
  return (is_light ? light : full).string();
}

const chain::ShareDigest& digest_of(const VerifyOptions& options) {
  const chain::ShareDigest* digest = options.digest != nullptr
                                         ? options.digest
                                         : chain::plain_digest(options.genesis.work_function);
  EC_ASSERT(digest != nullptr, "who verifies sets up what the work function needs");
  return *digest;
}

Result<VerifyReport> verify_chain(const VerifyOptions& options) {
  const auto before = store::FileState::of(options.database);
  auto report =
      store::is_light_database(options.database) ? verify_headers(options) : verify_all(options);
  // What was found in a file that somebody wrote meanwhile says nothing.
  if (auto still = check_still(options.database, before); !still)
    return tl::unexpected<chain::Error>(still.error());
  return report;
}

}  // namespace eventchain::tools
