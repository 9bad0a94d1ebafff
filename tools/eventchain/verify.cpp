#include "tools/eventchain/verify.h"

#include "store/sqlite/chain_scan.h"
#include "tools/eventchain/block_pass.h"
#include "tools/eventchain/body_pass.h"

namespace eventchain::tools {

chain::Result<VerifyReport> verify_chain(const VerifyOptions& options) {
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
