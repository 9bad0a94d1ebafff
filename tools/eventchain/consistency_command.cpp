#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "mining/work_functions.h"
#include "node/api/evidence_json.h"
#include "node/api/receipt_json.h"
#include "node/genesis_json.h"
#include "tools/eventchain/checkpoint_file.h"
#include "tools/eventchain/consistency.h"
#include "tools/eventchain/files.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/session.h"

namespace eventchain::tools {

namespace json = boost::json;

namespace {

struct Comparing {
  std::string a, b;
  std::string genesis;
  std::string out = "evidence.json";
  bool without_work = false;
};

bool is_endpoint(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

// A side, with what it asks; the one owns the other's place in memory.
struct Opened {
  ConsistencySide side;
  std::unique_ptr<BlockSource> source;
};

Opened member(const Session& session, const std::string& endpoint) {
  Session its_own;
  its_own.endpoints = {endpoint};
  its_own.tls = session.tls;
  Opened made{{endpoint}, cluster_source(its_own)};
  made.side.source = made.source.get();
  return made;
}

Opened open_side(const Session& session, const chain::Genesis& genesis, const std::string& name) {
  if (is_endpoint(name)) return member(session, name);
  if (std::filesystem::is_directory(name)) {
    Opened made{{name}, cold_source(name, genesis)};
    made.side.source = made.source.get();
    return made;
  }
  const std::string text = value_or_stop(read_file(name, node::api::kReceiptBytesMax));
  if (!text.starts_with('{')) return {{name, value_or_stop(read_checkpoint_file(name))}, nullptr};
  auto receipt = node::api::parse_receipt(text);
  if (!receipt) throw CommandFailed{Exit::kTampered, name + ": " + receipt.error().message};
  return {{name, std::move(*receipt)}, nullptr};
}

Exit exit_of(Agreement agreement) {
  switch (agreement) {
    case Agreement::kConsistent:
      return Exit::kOk;
    case Agreement::kUnknown:
      return Exit::kNotYet;
    case Agreement::kTwoHistories:
    case Agreement::kContradiction:
    case Agreement::kUnverified:
      return Exit::kTampered;
  }
  return Exit::kError;
}

void compare(Session& session, const Comparing& wanted) {
  const chain::Genesis genesis = value_or_stop(node::load_genesis(wanted.genesis));
  mining::Work work;
  if (!wanted.without_work)
    work = value_or_stop(mining::set_up_work(genesis, {.randomx = mining::RandomXMode::kLight}));
  Opened a = open_side(session, genesis, wanted.a);
  Opened b = open_side(session, genesis, wanted.b);
  std::optional<Opened> asked;
  if (!session.endpoints.empty()) asked = member(session, session.endpoints.front());
  const ConsistencyVerdict verdict =
      check_consistency(genesis, work.digest.get(), std::move(a.side), std::move(b.side),
                        asked ? &asked->side : nullptr);
  session.exit = exit_of(verdict.agreement);
  if (verdict.evidence) {
    // Before anything is said of it: what was there under this name may be evidence too.
    const std::string text = value_or_stop(node::api::format_evidence(*verdict.evidence)) + "\n";
    if (const auto kept = write_new_file(wanted.out, text, Secrecy::kPublic); !kept)
      throw CommandFailed{Exit::kTampered,
                          verdict.said.front() + ", but the evidence is not kept: " +
                              kept.error().message + "; give another file with --out"};
  }
  if (session.as_json) {
    json::array said;
    for (const std::string& sentence : verdict.said) said.emplace_back(sentence);
    json::object told{{"verdict", to_string(verdict.agreement)}, {"said", std::move(said)}};
    if (verdict.evidence) told.emplace("evidence", wanted.out);
    return fmt::print("{}", pretty(told));
  }
  fmt::print("{}\n", to_string(verdict.agreement));
  for (const std::string& sentence : verdict.said) fmt::print("  {}\n", sentence);
  if (verdict.evidence)
    fmt::print("the evidence is in {}: `eventchain evidence verify` shows it to anybody\n",
               wanted.out);
}

}  // namespace

void add_consistency_command(CLI::App& chain, Session& session) {
  const auto wanted = std::make_shared<Comparing>();
  CLI::App* command = chain.add_subcommand(
      "consistent",
      "whether two things told of the chain are of one history: each a receipt, a checkpoint, a "
      "member (URL) or a node's data directory; exit code 3 if not, with evidence where "
      "there is some, 4 if it cannot be told. --endpoint names a member who may be asked besides");
  command->add_option("A", wanted->a, "file, directory or URL")->required();
  command->add_option("B", wanted->b, "file, directory or URL")->required();
  command
      ->add_option("--trust", wanted->genesis,
                   "the genesis file: all that is believed; its chain id must be the right one")
      ->type_name("GENESIS")
      ->required();
  command->add_option("--out", wanted->out, "where evidence goes; not written over")
      ->type_name("FILE")
      ->capture_default_str();
  command->add_flag("--no-work", wanted->without_work,
                    "do not compute the shares' hashes; RandomX takes 256 MiB for that");
  command->callback([wanted, &session] { compare(session, *wanted); });
}

}  // namespace eventchain::tools
