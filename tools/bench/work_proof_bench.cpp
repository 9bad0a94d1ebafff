// What a proof of work costs on a chain of any length: its size, and the processor time to make and
// to verify it. The chain is made up: real headers, history, certificate and shares, with a target
// that nearly every nonce meets, for sizes and times do not hang on that. It is in memory, or with
// --data in a node's database, out of which a proof is made as a node does it.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "chain/difficulty.h"
#include "chain/hash.h"
#include "chain/keys.h"
#include "chain/work_proof.h"
#include "node/api/work_proof_json.h"
#include "store/sqlite/sqlite_reader.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/store_id_file.h"
#include "store/work_proof_maker.h"
#include "tools/eventchain/synthetic_chain.h"

namespace {

using namespace eventchain;
using chain::Height;
using chain::Result;

// Of keys that sign nothing else: seeds SHA-256("receipt voter N"), as the tests have them.
constexpr const char* kKeys[] = {
    "MC4CAQAwBQYDK2VwBCIEIA2laD3oCPy6GxGTTaqtbezCq7YKlb/eV97Rg8p9T/SD",
    "MC4CAQAwBQYDK2VwBCIEIJxzSGu+YPe1OVdZkFvAM/Y4E95bnQBOETW52KdEMxYm",
    "MC4CAQAwBQYDK2VwBCIEIDRz3G6JDFKO/0CzwE/uOSikjX7lJu9Stbg6ygDTDmpC",
};

std::unique_ptr<chain::Ed25519> key_of(std::size_t number) {
  auto key = chain::Ed25519::from_pem("-----BEGIN PRIVATE KEY-----\n" + std::string(kKeys[number]) +
                                      "\n-----END PRIVATE KEY-----\n");
  EC_ASSERT(key.has_value(), "the keys are good");
  return std::move(*key);
}

chain::Genesis genesis_of(std::uint16_t shares) {
  chain::Genesis genesis;
  genesis.name = "synthetic";
  genesis.trust_domain = "example.org";
  genesis.created = {1'700'000'000'000};
  genesis.share_count = shares;
  genesis.first_target = chain::compact(chain::U256::max());
  genesis.easiest_target = genesis.first_target;
  for (std::uint16_t i = 0; i < 3; ++i) {
    const std::string name = "n" + std::to_string(i + 1);
    chain::Member member;
    member.node = chain::as_kind<chain::NodeId>(chain::sha256("node " + name));
    member.signing_key = key_of(i)->public_key();
    member.slot = chain::Slot{i};
    member.name = name;
    member.site = "site-a";
    member.store = chain::as_kind<chain::StoreId>(chain::sha256("store " + name));
    member.role = chain::MemberRole::kVoter;
    genesis.voters.push_back(member);
  }
  return genesis;
}

// Keeps what a header cannot be made anew from; headers are, when they are asked for.
class Synthetic {
 public:
  Synthetic(chain::Genesis genesis, std::uint64_t blocks)
      : genesis_(std::move(genesis)),
        chain_(chain::chain_id(genesis_)),
        set_(chain::member_set_hash(chain::first_members(genesis_))) {
    append(chain::genesis_block(genesis_));
    while (ids_.size() < blocks) append(header(Height{ids_.size()}));
    roots_.push_back(history_.root());
  }

  [[nodiscard]] chain::SealedHeader header(Height height) const {
    if (height.value == 0) return chain::genesis_block(genesis_);
    chain::SealedHeader sealed;
    chain::TemplateHeader& made = sealed.header;
    made.chain = chain_;
    made.height = height;
    made.parent = ids_[height.value - 1];
    made.log_size = 100 * height.value;
    made.log_root = set_;  // any hash will do
    made.history_root = height.value < roots_.size() ? roots_[height.value] : history_.root();
    made.annex_root = chain::annex_root({});
    const auto interval = static_cast<std::int64_t>(genesis_.interval_ms);
    made.started = {genesis_.created.value +
                    static_cast<std::int64_t>(height.value) * 2 * interval};
    made.time = made.started;
    made.share_target = genesis_.first_target;
    made.share_count = genesis_.share_count;
    made.member_set = set_;
    sealed.seal.sealed_at = {made.time.value + interval};
    for (std::uint16_t i = 0; i < genesis_.share_count; ++i)
      sealed.seal.shares.push_back({chain::nonce_high(chain::Slot{0}, 0, i), 0});
    return sealed;
  }

  [[nodiscard]] chain::Receipt head() const {
    chain::Receipt receipt;
    receipt.chain = chain_;
    receipt.what = chain::ReceiptBlock{};
    receipt.block = header(Height{ids_.size()});
    receipt.member_sets.push_back(
        std::make_shared<const chain::MemberSet>(chain::first_members(genesis_)));
    const chain::Bytes statement =
        chain::certified_statement(receipt.block.header, chain::block_id(receipt.block));
    for (std::uint16_t i = 0; i < 2; ++i)
      receipt.certificate.push_back({chain::Slot{i}, key_of(i)->sign(statement)});
    return receipt;
  }

  [[nodiscard]] Result<chain::WorkProof> prove(const chain::WorkSampling& sampling) const {
    return chain::assemble_work_proof(
        head(), sampling,
        [this](std::uint64_t number) -> Result<chain::HistoryNode> { return nodes_[number]; },
        [this](Height height) -> Result<chain::SealedHeader> { return header(height); });
  }

  [[nodiscard]] const chain::Genesis& genesis() const { return genesis_; }

 private:
  void append(const chain::SealedHeader& sealed) {
    roots_.push_back(history_.root());
    ids_.push_back(chain::block_id(sealed));
    history_.append(chain::history_leaf(ids_.back(), chain::block_work(sealed.header),
                                        sealed.header.time, sealed.seal.sealed_at),
                    &nodes_);
  }

  const chain::Genesis genesis_;
  const chain::ChainId chain_;
  const chain::Hash set_;
  std::vector<chain::BlockId> ids_;
  std::vector<chain::Hash> roots_;  // below each block
  chain::History history_;
  std::vector<chain::HistoryNode> nodes_;
};

double processor_ms() {
  return 1000.0 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

// The median of some runs.
template <class Work>
double cost_ms(Work work) {
  std::vector<double> costs;
  for (int run = 0; run < 7; ++run) {
    const double before = processor_ms();
    work();
    costs.push_back(processor_ms() - before);
  }
  std::ranges::sort(costs);
  return costs[costs.size() / 2];
}

void measure(const Synthetic& synthetic, std::uint64_t blocks,
             const chain::WorkSampling& sampling) {
  const auto proof = synthetic.prove(sampling);
  EC_ASSERT(proof.has_value(), "a synthetic chain has a proof");
  const chain::WorkTrust trust{synthetic.genesis(), nullptr, sampling};
  const chain::WorkReport report = chain::verify_work_proof(*proof, trust);
  const auto text = node::api::format_work_proof(*proof);
  if (!report.is_proved() || !text) {
    fmt::print("{:>9}  not to be had: {}\n", blocks,
               text ? report.failed()->text : text.error().message);
    return;
  }
  const double make = cost_ms([&] { (void)synthetic.prove(sampling).value(); });
  const double verify = cost_ms([&] { (void)chain::verify_work_proof(*proof, trust); });
  const double parse = cost_ms([&] { (void)node::api::parse_work_proof(*text).value(); });
  fmt::print(
      "{:>9}  {:>3} {:>4} {:>5}  {:>4} {:>6}  {:>6} {:>6} {:>10}  {:>8.1f} {:>8.1f} {:>8.1f}\n",
      blocks, chain::percent_of(sampling.share), sampling.bits, sampling.last,
      report.facts->plan.octaves, report.facts->plan.samples(), report.facts->blocks,
      proof->nodes.size(), text->size(), make, parse, verify);
}

chain::Genesis stored_genesis(std::uint16_t shares) {
  chain::Genesis genesis = tools::made_up_genesis();
  genesis.share_count = shares;
  return genesis;
}

// Blocks without events: what they hold is not read for a proof.
Result<void> store_chain(const std::filesystem::path& directory, const chain::Genesis& genesis,
                         std::uint64_t blocks) {
  std::filesystem::create_directories(directory);
  const std::string database = (directory / store::kDatabaseName).string();
  const chain::StoreId disk = genesis.voters.front().store;
  if (std::filesystem::exists(database)) return {};
  if (auto written = store::write_store_id(directory, disk); !written) return written;
  auto opened = store::open_store(database, genesis, disk);
  if (!opened) return tl::unexpected<chain::Error>(opened.error());
  (*opened)->chain().recover();
  tools::SyntheticChain chain(genesis, **opened);
  while (chain.state().height().value < blocks) {
    chain.add({.signers = {0, 1}});
    if (chain.state().height().value % 10'000 == 0)
      fmt::print(stderr, "{} blocks\n", chain.state().height().value);
  }
  return {};
}

// By the clock on the wall, too: it is what others wait for who share a server's thread.
Result<void> measure_stored(store::ChainReader& reader, const chain::Genesis& genesis,
                            const chain::WorkSampling& sampling) {
  const store::WorkProofMaker maker(reader, genesis);
  using Clock = std::chrono::steady_clock;
  const auto begun = Clock::now();
  const auto proof = maker.make(sampling);
  const double first = std::chrono::duration<double, std::milli>(Clock::now() - begun).count();
  if (!proof) return tl::unexpected<chain::Error>(proof.error());
  const auto text = node::api::format_work_proof(*proof);
  if (!text) return tl::unexpected<chain::Error>(text.error());
  const double make = cost_ms([&] { (void)maker.make(sampling).value(); });
  const double format = cost_ms([&] { (void)node::api::format_work_proof(*proof).value(); });
  fmt::print("{:>9}  {:>3} {:>4} {:>5}  {:>6} {:>6} {:>10}  {:>8.1f} {:>8.1f} {:>8.1f}\n",
             reader.tip().height.value, chain::percent_of(sampling.share), sampling.bits,
             sampling.last, proof->blocks.size() + 1, proof->nodes.size(), text->size(), first,
             make, format);
  return {};
}

struct Asked {
  std::vector<unsigned> percents{50};
  std::vector<std::uint16_t> bits{40};
  std::vector<std::uint16_t> last{64};

  template <class Measure>
  void each(Measure measure) const {
    for (const unsigned percent : percents)
      for (const std::uint16_t certainty : bits)
        for (const std::uint16_t shown : last)
          measure(chain::WorkSampling{chain::work_share_of(percent).value(), certainty, shown});
  }
};

int bench_stored(const std::string& directory, std::uint64_t blocks, std::uint16_t shares,
                 const Asked& asked) {
  const chain::Genesis genesis = stored_genesis(shares);
  const auto complain = [](const chain::Error& error) {
    fmt::print(stderr, "{}\n", error.message);
    return 1;
  };
  if (const auto stored = store_chain(directory, genesis, blocks); !stored)
    return complain(stored.error());
  const std::string database = (std::filesystem::path(directory) / store::kDatabaseName).string();
  store::StoreOptions how;
  how.reading = store::Reading::kAnyCopy;
  const auto reader = store::open_reader(database, genesis, 1, how);
  if (!reader) return complain(reader.error());
  fmt::print("   blocks    % bits  last   shown  nodes     octets  first ms  make ms format ms\n");
  int code = 0;
  asked.each([&](const chain::WorkSampling& sampling) {
    if (const auto done = measure_stored(**reader, genesis, sampling); !done)
      code = complain(done.error());
  });
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("size and cost of work proofs of made-up chains");
  std::vector<std::uint64_t> lengths{10'000, 1'000'000};
  unsigned shares = 16;
  Asked asked;
  std::string data;
  app.add_option("--synthetic", lengths, "blocks; some 300 octets of memory each")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{100'000'000}))
      ->capture_default_str();
  app.add_option("--data", data,
                 "make the first of these chains into a database in this directory, unless there "
                 "is one, and time proofs out of that; 1.5 KB a block")
      ->type_name("DIR");
  app.add_option("--shares", shares, "of a block")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--bits", asked.bits)->check(CLI::Range(1, 128))->capture_default_str();
  app.add_option("--last", asked.last)->check(CLI::Range(1, 4096))->capture_default_str();
  app.add_option("--percent", asked.percents)
      ->check(CLI::IsMember({50, 75, 90}))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const auto share_count = static_cast<std::uint16_t>(shares);
  if (!data.empty()) return bench_stored(data, lengths.front(), share_count, asked);
  fmt::print(
      "   blocks    % bits  last   oct samples   shown  nodes     octets   make ms parse ms verify "
      "ms\n");
  for (const std::uint64_t blocks : lengths) {
    const Synthetic synthetic(genesis_of(share_count), blocks);
    asked.each([&](const chain::WorkSampling& sampling) { measure(synthetic, blocks, sampling); });
  }
  return 0;
}
