#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "mining/work_functions.h"
#include "node/genesis_json.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/kept_files.h"
#include "tools/eventchain/progress.h"
#include "tools/eventchain/session.h"
#include "tools/eventchain/verify.h"
#include "tools/eventchain/verify_text.h"

namespace eventchain::tools {

namespace {

struct Verification {
  std::string data, genesis;
  std::vector<std::string> known_blocks;
  std::vector<std::string> against;
  unsigned threads = std::max(1U, std::thread::hardware_concurrency());
};

// A line of progress for each stage.
class Stages {
 public:
  void operator()(VerifyStage stage, std::uint64_t done, std::uint64_t total) {
    if (stage_ != stage) {
      finish();
      stage_ = stage;
      switch (stage) {
        case VerifyStage::kBodies:
          progress_.emplace("hashing bodies", "events", total);
          break;
        case VerifyStage::kBlocks:
          progress_.emplace("recomputing blocks", "events", total);
          break;
        case VerifyStage::kClosing:
          progress_.emplace("indexes and signatures", "parts", total);
          break;
        case VerifyStage::kHeaders:
          progress_.emplace("recomputing headers", "headers", total);
          break;
      }
    }
    progress_->set_total(total);
    progress_->update(std::min(done, total));
  }
  void finish() { progress_.reset(); }

 private:
  std::optional<VerifyStage> stage_;
  std::optional<Progress> progress_;
};

void verify(Session& session, const Verification& chosen) {
  VerifyOptions options;
  options.database = database_in(chosen.data);
  options.genesis = value_or_stop(node::load_genesis(chosen.genesis));
  options.threads = chosen.threads;
  for (const std::string& text : chosen.known_blocks) {
    const auto octets = chain::from_hex(text);
    const auto id = octets ? chain::BlockId::from(*octets) : std::nullopt;
    if (!id) throw CommandFailed{Exit::kUsage, "'" + text + "' is no block id (64 hex digits)"};
    options.known_blocks.push_back(*id);
  }
  // Shares of RandomX take 30 ms each; a seal's are computed side by side.
  const mining::Work work =
      value_or_stop(mining::set_up_work(options.genesis, {.randomx = mining::RandomXMode::kLight}));
  options.digest = work.digest.get();
  std::optional<KeptFiles> kept;
  if (!chosen.against.empty()) {
    Progress progress("reading what was kept", "files", 0);
    kept = value_or_stop(KeptFiles::load(chosen.against, options.genesis, digest_of(options),
                                         [&](std::uint64_t done) { progress.update(done); }));
    options.against = &*kept;
  }
  Stages stages;
  options.progress = std::ref(stages);
  const auto started = std::chrono::steady_clock::now();
  const VerifyReport report = value_or_stop(verify_chain(options));
  stages.finish();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  fmt::print("{}",
             session.as_json ? pretty(report_json(report, seconds)) : report_text(report, seconds));
  session.exit = exit_of(report);
}

}  // namespace

void add_verify_command(CLI::App& chain, Session& session) {
  const auto chosen = std::make_shared<Verification>();
  CLI::App* check =
      chain.add_subcommand("verify",
                           "verify a node's whole database; exit code 3 if anything is not as it "
                           "was, 6 if no block at all has the signatures of a majority, 4 if "
                           "something given with --against could not be compared, 0 if all was "
                           "read and is as voters certified it, up to the block that is said");
  check
      ->add_option("--data", chosen->data,
                   "data directory of a node, running or stopped, or a copy of one")
      ->required();
  check->add_option("--genesis", chosen->genesis, "the genesis file: what the chain is judged by")
      ->required();
  check
      ->add_option("--against", chosen->against,
                   "receipts and checkpoints kept elsewhere, which must be of this very chain: "
                   "files, or directories of them")
      ->type_name("PATH");
  check->add_option("--contains", chosen->known_blocks,
                    "a block id noted elsewhere that must be in the chain; repeatable");
  check->add_option("--threads", chosen->threads, "for the bodies, indexes and signatures")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  check->callback([chosen, &session] { verify(session, *chosen); });
}

}  // namespace eventchain::tools
