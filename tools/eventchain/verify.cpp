#include "tools/eventchain/verify.h"

#include "store/sqlite/chain_scan.h"
#include "store/sqlite/light_scan.h"
#include "store/sqlite/sqlite_store.h"
#include "tools/eventchain/block_pass.h"
#include "tools/eventchain/body_pass.h"
#include "tools/eventchain/header_pass.h"

namespace eventchain::tools {

namespace {

constexpr std::uint64_t kHeadersPerReport = 4096;

chain::Result<VerifyReport> verify_headers(const VerifyOptions& options) {
  VerifyReport report;
  const auto scan = store::open_light_scan(options.database, options.genesis);
  if (!scan) return tl::unexpected<chain::Error>(scan.error());
  HeaderPass pass(options, report.findings);
  const auto note = [&](const chain::Result<void>& read) {
    if (!read) report.findings.add({"database", 0, read.error().message});
  };
  const std::uint64_t total = (*scan)->block_count().value_or(0);
  std::uint64_t done = 0;
  note((*scan)->blocks([&](const store::LightScan::BlockRow& row) {
    pass.visit(row);
    if (options.progress && ++done % kHeadersPerReport == 0) options.progress(done, total);
  }));
  note((*scan)->member_sets([&](const store::LightScan::MemberRow& row) { pass.visit(row); }));
  pass.finish(**scan, report);
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

chain::Result<VerifyReport> verify_chain(const VerifyOptions& options) {
  if (store::is_light_database(options.database)) return verify_headers(options);
  VerifyReport report;
  const auto bodies = BodyPass::run(options, report.findings);
  if (!bodies) return tl::unexpected<chain::Error>(bodies.error());
  const auto scan = store::open_scan(options.database, options.genesis);
  if (!scan) return tl::unexpected<chain::Error>(scan.error());
  BlockPass blocks(options, *bodies, report.findings);
  const auto read =
      (*scan)->blocks([&](const store::ChainScan::BlockRow& row) { blocks.visit(row); });
  if (!read) report.findings.add({"database", 0, read.error().message});
  blocks.finish(report);
  return report;
}

}  // namespace eventchain::tools
