#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include <fmt/format.h>

#include "mining/work_functions.h"
#include "node/api/work_proof_json.h"
#include "node/genesis_json.h"
#include "store/work_proof_maker.h"
#include "tools/eventchain/cluster_client.h"
#include "tools/eventchain/cold_reader.h"
#include "tools/eventchain/files.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/session.h"
#include "tools/eventchain/work_proof_text.h"

namespace eventchain::tools {

namespace {

// How certain, as the command line has it.
struct Asked {
  unsigned percent = 50;
  unsigned bits = chain::WorkSampling().bits;
  unsigned last = chain::WorkSampling().last;

  [[nodiscard]] chain::WorkSampling sampling() const {
    const auto share = chain::work_share_of(percent);
    if (!share) throw CommandFailed{Exit::kUsage, "--percent is 50, 75 or 90"};
    return {*share, static_cast<std::uint16_t>(bits), static_cast<std::uint16_t>(last)};
  }
};

void add_certainty(CLI::App& command, Asked& asked, const char* percent, const char* bits) {
  command.add_option("--percent", asked.percent, percent)
      ->check(CLI::IsMember({50, 75, 90}))
      ->capture_default_str();
  command.add_option("--bits", asked.bits, bits)
      ->check(CLI::Range(1U, unsigned{chain::kSamplingBitsMax}))
      ->capture_default_str();
}

struct Proving {
  Asked asked;
  std::string out, data, genesis;
};

std::string proof_from_data(const Proving& wanted) {
  if (wanted.genesis.empty())
    throw CommandFailed{Exit::kUsage, "--data wants --genesis too: a database is read by its file"};
  const chain::Genesis genesis = value_or_stop(node::load_genesis(wanted.genesis));
  const auto reader = value_or_stop(ColdReader::open(wanted.data, genesis, 1));
  auto proof = store::WorkProofMaker(*reader, genesis).make(wanted.asked.sampling());
  value_or_stop(reader.check_still());
  if (!proof && proof.error().code == chain::ErrorCode::kUnavailable)
    throw CommandFailed{Exit::kNotYet, proof.error().message};
  return value_or_stop(node::api::format_work_proof(value_or_stop(std::move(proof))));
}

std::string proof_from_cluster(const Session& session, const Asked& asked) {
  ClusterClient client(session);
  HttpRequest request;
  request.target = fmt::format("/v1/work-proof?percent={}&bits={}&last={}", asked.percent,
                               asked.bits, asked.last);
  // Some thousand blocks are read for the most certain ones.
  const HttpResponse answer = value_or_stop(client.ask(request, std::chrono::seconds(60)));
  if (answer.status == 409) throw CommandFailed{Exit::kNotYet, problem_text(answer)};
  require_success(answer);
  return answer.body;
}

void prove(const Session& session, const Proving& wanted) {
  const std::string proof =
      wanted.data.empty() ? proof_from_cluster(session, wanted.asked) : proof_from_data(wanted);
  if (!wanted.out.empty())
    return value_or_stop(replace_file(wanted.out, proof + "\n", Secrecy::kPublic));
  std::cout << proof << '\n';
  if (!std::cout.flush()) throw CommandFailed{Exit::kError, "cannot write the work proof"};
}

struct Judging {
  Asked least;
  std::string file, genesis;
  bool without_work = false;
  bool with_steps = false;
};

void judge(Session& session, const Judging& wanted) {
  const chain::Genesis genesis = value_or_stop(node::load_genesis(wanted.genesis));
  mining::Work work;
  if (!wanted.without_work)
    work = value_or_stop(mining::set_up_work(genesis, {.randomx = mining::RandomXMode::kLight}));
  const std::string text = value_or_stop(read_file(wanted.file, node::api::kWorkProofBytesMax));
  const chain::WorkReport report =
      judge_work_proof(text, {genesis, work.digest.get(), wanted.least.sampling()});
  if (report.failed() != nullptr)
    session.exit = Exit::kTampered;
  else if (!report.is_proved())
    session.exit = Exit::kNotYet;
  if (session.as_json) return fmt::print("{}", pretty(work_verdict_json(report)));
  fmt::print("{}", work_verdict_text(report, wanted.with_steps));
}

}  // namespace

void add_work_proof_commands(CLI::App& chain, Session& session) {
  const auto proving = std::make_shared<Proving>();
  CLI::App* prove_work = chain.add_subcommand("prove-work",
                                              "what shows anybody, offline and from some hundreds "
                                              "of blocks, that the work of all was done; "
                                              "exit code 4 if no block has a certificate yet");
  add_certainty(*prove_work, proving->asked,
                "how much of the work that any end of the history claims must have been done, or "
                "the proof fails",
                "with less work than that the proof passes once in 2^N times at most");
  prove_work
      ->add_option("--last", proving->asked.last, "show that many of the last blocks in any case")
      ->check(CLI::Range(1U, unsigned{chain::kSamplingLastMax}))
      ->capture_default_str();
  prove_work->add_option("--out", proving->out, "file; standard output otherwise")
      ->type_name("FILE");
  prove_work
      ->add_option("--data", proving->data,
                   "from the data directory of a node, running or stopped, or a copy of one")
      ->type_name("DIR");
  prove_work->add_option("--genesis", proving->genesis, "the genesis file, with --data")
      ->type_name("FILE");
  prove_work->callback([proving, &session] { prove(session, *proving); });

  const auto judging = std::make_shared<Judging>();
  CLI::App* verify_work = chain.add_subcommand(
      "verify-work",
      "what a work proof proves and what not; exit code 3 with the first step that fails, 4 if the "
      "work itself was not looked at");
  verify_work->add_option("FILE", judging->file, "work proof")->required();
  verify_work
      ->add_option("--trust", judging->genesis,
                   "the genesis file: all that is believed; its chain id must be the right one")
      ->type_name("GENESIS")
      ->required();
  add_certainty(*verify_work, judging->least,
                "the least that the proof must be for; it fails if it is for less",
                "the least bits of certainty that the proof must have");
  verify_work->add_flag("--steps", judging->with_steps, "show each step");
  verify_work->add_flag("--no-work", judging->without_work,
                        "do not set up RandomX, which takes 256 MiB; its hashes are not computed "
                        "then");
  verify_work->callback([judging, &session] { judge(session, *judging); });
}

}  // namespace eventchain::tools
