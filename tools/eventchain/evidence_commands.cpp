#include <CLI/CLI.hpp>
#include <memory>

#include <fmt/format.h>

#include "mining/work_functions.h"
#include "node/api/evidence_json.h"
#include "node/genesis_json.h"
#include "tools/eventchain/evidence_text.h"
#include "tools/eventchain/files.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/session.h"

namespace eventchain::tools {

namespace json = boost::json;

namespace {

struct Judging {
  std::vector<std::string> files;
  std::string genesis;
  bool without_work = false;
  bool with_steps = false;
};

void judge(Session& session, const Judging& wanted) {
  const chain::Genesis genesis = value_or_stop(node::load_genesis(wanted.genesis));
  mining::Work work;
  if (!wanted.without_work)
    work = value_or_stop(mining::set_up_work(genesis, {.randomx = mining::RandomXMode::kLight}));
  json::array verdicts;
  for (const std::string& file : wanted.files) {
    const std::string text = value_or_stop(read_file(file, node::api::kEvidenceBytesMax));
    const chain::EvidenceReport report = judge_evidence(text, genesis, work.digest.get());
    if (!report.is_proved()) session.exit = Exit::kTampered;
    if (!session.as_json) {
      if (wanted.files.size() > 1) fmt::print("{}: ", file);
      fmt::print("{}", evidence_text(report, wanted.with_steps));
      continue;
    }
    json::object told = evidence_json(report);
    told.emplace("file", file);
    verdicts.push_back(std::move(told));
  }
  if (session.as_json)
    fmt::print("{}", pretty(wanted.files.size() == 1 ? verdicts.front() : json::value(verdicts)));
}

}  // namespace

void add_evidence_commands(CLI::App& app, Session& session) {
  CLI::App* evidence = app.add_subcommand("evidence", "check evidence of two histories offline");
  evidence->require_subcommand(1);
  const auto wanted = std::make_shared<Judging>();
  CLI::App* command = evidence->add_subcommand(
      "verify",
      "whether files show two histories of one chain, and who signed both; exit code 0 if they do, "
      "3 with the first step that fails");
  command->add_option("FILE", wanted->files, "files of evidence")->required();
  command
      ->add_option("--trust", wanted->genesis,
                   "the genesis file: all that is believed; its chain id must be the right one")
      ->type_name("GENESIS")
      ->required();
  command->add_flag("--steps", wanted->with_steps, "tell every step");
  command->add_flag("--no-work", wanted->without_work,
                    "do not compute the shares' hashes; RandomX takes 256 MiB for that");
  command->callback([wanted, &session] { judge(session, *wanted); });
}

}  // namespace eventchain::tools
