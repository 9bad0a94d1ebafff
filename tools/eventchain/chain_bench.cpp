#include "tools/eventchain/chain_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

#include "chain/hash.h"
#include "chain/receipt.h"
#include "node/api/receipt_json.h"
#include "node/genesis_json.h"
#include "store/receipt_maker.h"
#include "store/sqlite/sqlite_reader.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/store_id_file.h"
#include "tools/eventchain/files.h"
#include "tools/eventchain/synthetic_chain.h"
#include "tools/eventchain/verify.h"

namespace eventchain::tools {

namespace fs = std::filesystem;
using chain::Result;

namespace {

constexpr std::uint64_t kBlockEvents = 1000;
constexpr std::uint64_t kStreams = 1000;
constexpr const char* kGenesisName = "genesis.json";

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

double raw_octets_per_second() {
  const std::string message(std::size_t{1} << 20, 'x');
  const double begun = cpu_seconds();
  double octets = 0;
  chain::Hash last;
  // A quarter of a second, in pieces of half a millisecond.
  for (double now = begun; now - begun < 0.25; now = cpu_seconds()) {
    last = chain::sha256(message);
    octets += static_cast<double>(message.size() + last.octets[0] % 2);
  }
  return octets / (cpu_seconds() - begun);
}

Result<chain::Genesis> genesis_of(const fs::path& directory) {
  return node::load_genesis((directory / kGenesisName).string());
}

}  // namespace

Result<void> make_bench_chain(const fs::path& directory, std::uint64_t events,
                              const std::function<void(std::uint64_t)>& progress) {
  if (fs::exists(directory / store::kDatabaseName)) return {};
  if (auto made = make_directory(directory); !made) return made;
  const chain::Genesis genesis = made_up_genesis();
  if (auto written =
          replace_file(directory / kGenesisName, node::format_genesis(genesis), Secrecy::kPublic);
      !written)
    return written;
  const chain::StoreId disk = genesis.voters.front().store;
  if (auto written = store::write_store_id(directory, disk); !written) return written;
  auto opened = store::open_store((directory / store::kDatabaseName).string(), genesis, disk);
  if (!opened) return tl::unexpected<chain::Error>(opened.error());
  (*opened)->chain().recover();
  SyntheticChain chain(genesis, **opened);
  for (std::uint64_t number = 0; number < events;) {
    NextBlock next{.signers = {0, 1, 2}};
    for (const std::uint64_t end = std::min(events, number + kBlockEvents); number < end; ++number)
      next.events.push_back(
          hold_made_up({.number = number,
                        .stream = fmt::format("customer-{}", number % kStreams),
                        .data = fmt::format("{{\"order\": {}, \"amount\": \"{}.50\", \"currency\": "
                                            "\"EUR\", \"items\": [1, 2, 3]}}",
                                            number, number % 977)}));
    chain.add(next);
    if (progress) progress(number);
  }
  return {};
}

Result<VerifyBench> bench_verify(const fs::path& directory) {
  auto genesis = genesis_of(directory);
  if (!genesis) return tl::unexpected<chain::Error>(genesis.error());
  VerifyOptions options;
  options.database = database_in(directory);
  options.genesis = *genesis;
  VerifyBench bench;
  // Before and after, because a processor may change its speed.
  bench.raw_octets_each = raw_octets_per_second();
  const double begun = cpu_seconds();
  const auto report = verify_chain(options);
  bench.seconds = cpu_seconds() - begun;
  bench.raw_octets_each = (bench.raw_octets_each + raw_octets_per_second()) / 2;
  if (!report) return tl::unexpected<chain::Error>(report.error());
  bench.events = report->events;
  bench.blocks = report->blocks;
  bench.octets = report->octets;
  bench.findings = report->findings.total();
  if (bench.events == 0) return bench;
  // Event key, stream key and commitment, each at its mean length rounded up to whole blocks, a
  // leaf of one block, a node of two, and 48 octets of the block's list.
  const double body = static_cast<double>(bench.octets) / static_cast<double>(bench.events);
  const double commitment =
      (static_cast<double>(static_cast<std::uint64_t>(body + 13 + 9) / 64) + 1) * 64;
  bench.hashed_octets_each = 64 + 64 + commitment + 64 + 2 * 64 + 48;
  return bench;
}

Result<ReceiptBench> bench_receipts(const fs::path& directory, std::uint64_t receipts,
                                    bool newest) {
  auto genesis = genesis_of(directory);
  if (!genesis) return tl::unexpected<chain::Error>(genesis.error());
  store::StoreOptions how;
  how.reading = store::Reading::kAnyCopy;
  const auto reader = store::open_reader(database_in(directory), *genesis, 1, how);
  if (!reader) return tl::unexpected<chain::Error>(reader.error());
  const store::ReceiptMaker maker(**reader, *genesis);
  ReceiptBench bench;
  bench.events = (*reader)->tip().log_size;
  bench.receipts = std::min(receipts, bench.events);
  std::vector<chain::EventKey> keys;
  for (std::uint64_t i = 0; i < bench.receipts; ++i) {
    const auto placed = (*reader)->log(chain::Position{i * (bench.events / bench.receipts)}, 1);
    if (!placed) return tl::unexpected<chain::Error>(placed.error());
    keys.push_back(placed->front().event.facts.key);
  }
  const auto end = newest ? store::ReceiptEnd::kNewest : store::ReceiptEnd::kFirst;
  std::vector<std::string> texts;
  double begun = cpu_seconds();
  for (const chain::EventKey& key : keys) {
    const auto made = maker.make({key, {end, std::nullopt}});
    if (!made) return tl::unexpected<chain::Error>(made.error());
    auto text = node::api::format_receipt(*made);
    if (!text) return tl::unexpected<chain::Error>(text.error());
    texts.push_back(std::move(*text));
  }
  const auto count = static_cast<double>(std::max<std::uint64_t>(bench.receipts, 1));
  bench.make_seconds_each = (cpu_seconds() - begun) / count;
  begun = cpu_seconds();
  for (const std::string& text : texts) {
    const auto receipt = node::api::parse_receipt(text);
    if (!receipt) return tl::unexpected<chain::Error>(receipt.error());
    const auto report = chain::verify_receipt(*receipt, {*genesis, nullptr, std::nullopt});
    if (!report.is_proved())
      return chain::fail(chain::ErrorCode::kCorrupt, "a receipt of this database does not hold");
    bench.octets_each += static_cast<double>(text.size()) / count;
  }
  bench.verify_seconds_each = (cpu_seconds() - begun) / count;
  return bench;
}

}  // namespace eventchain::tools
