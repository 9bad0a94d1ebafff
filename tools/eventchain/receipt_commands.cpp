#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "mining/work_functions.h"
#include "node/api/receipt_json.h"
#include "node/genesis_json.h"
#include "tools/eventchain/checkpoint_file.h"
#include "tools/eventchain/files.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/receipt_collection.h"
#include "tools/eventchain/receipt_source.h"
#include "tools/eventchain/receipt_text.h"
#include "tools/eventchain/session.h"
#include "tools/eventchain/table.h"

namespace eventchain::tools {

namespace json = boost::json;

namespace {

// --- getting receipts ----------------------------------------------------------------------------

struct Getting {
  std::vector<std::string> names;
  std::string stream;
  std::optional<std::uint64_t> from, to;  // positions, both of them too
  std::string out;
  std::string checkpoint;
  ReceiptChoice choice;
};

void get_receipts(Session& session, Getting wanted) {
  const bool has_range = wanted.from || wanted.to;
  if (int{!wanted.names.empty()} + int{!wanted.stream.empty()} + int{has_range} != 1)
    throw CommandFailed{Exit::kUsage,
                        "give keys, or a source and an id, or --stream, or --from and --to"};
  std::vector<chain::EventKey> keys;
  if (wanted.names.size() == 2 && !is_event_key(wanted.names[0])) {
    keys.push_back(chain::event_key(wanted.names[0], wanted.names[1]));
  } else {
    for (const std::string& name : wanted.names) keys.push_back(event_key_from(name));
  }
  if (!wanted.checkpoint.empty())
    wanted.choice.log_size = value_or_stop(read_checkpoint_file(wanted.checkpoint)).size;
  const auto source = open_receipt_source(session, wanted.choice);
  ReceiptCollection collection(*source, wanted.out, keys.size() == 1);
  if (!wanted.stream.empty())
    collection.get_stream(wanted.stream);
  else if (has_range)
    collection.get_range({wanted.from, wanted.to});
  else
    for (const chain::EventKey& key : keys) collection.get(key);
  if (collection.missing() > 0) session.exit = Exit::kNotYet;
}

// --- judging them --------------------------------------------------------------------------------

struct Judging {
  std::vector<std::string> files;
  std::string genesis;
  std::string checkpoint;
  bool without_work = false;
};

// Without anything to judge them by.
void tell_claims(Session& session, const Judging& wanted) {
  for (const std::string& file : wanted.files) {
    const auto claims = claims_of(value_or_stop(read_file(file, node::api::kReceiptBytesMax)));
    if (!claims) throw CommandFailed{Exit::kTampered, file + ": " + claims.error().message};
    json::object told{{"file", file}};
    for (const auto& [name, value] : *claims) told.emplace(name, value);
    fmt::print("{}", session.as_json ? pretty(told) : listing(told));
  }
  fmt::print(stderr, "nothing of this was checked: give --trust and the genesis file\n");
}

void judge(Session& session, const Judging& wanted, bool with_steps) {
  if (wanted.genesis.empty()) return tell_claims(session, wanted);
  const chain::Genesis genesis = value_or_stop(node::load_genesis(wanted.genesis));
  mining::Work work;
  if (!wanted.without_work)
    work = value_or_stop(mining::set_up_work(genesis, {.randomx = mining::RandomXMode::kLight}));
  chain::ReceiptTrust trust{genesis, work.digest.get(), std::nullopt};
  if (!wanted.checkpoint.empty())
    trust.known = value_or_stop(read_checkpoint_file(wanted.checkpoint));
  json::array verdicts;
  for (const std::string& file : wanted.files) {
    const std::string text = value_or_stop(read_file(file, node::api::kReceiptBytesMax));
    const ReceiptVerdict verdict = judge_receipt(text, trust);
    if (!verdict.report.is_proved()) {
      session.exit = Exit::kTampered;
    } else if (!verdict.is_whole && session.exit == Exit::kOk) {
      session.exit = Exit::kNotYet;
    }
    if (!session.as_json) {
      if (wanted.files.size() > 1) fmt::print("{}: ", file);
      fmt::print("{}", verdict_text(verdict, with_steps));
      continue;
    }
    json::object told = verdict_json(verdict);
    told.emplace("file", file);
    verdicts.push_back(std::move(told));
  }
  if (session.as_json)
    fmt::print("{}", pretty(wanted.files.size() == 1 ? verdicts.front() : json::value(verdicts)));
}

void add_judging(CLI::App& receipt, Session& session, const char* verb, const char* what,
                 bool with_steps) {
  const auto wanted = std::make_shared<Judging>();
  CLI::App* command = receipt.add_subcommand(verb, what);
  command->add_option("FILE", wanted->files, "receipts")->required();
  CLI::Option* trust = command->add_option(
      "--trust", wanted->genesis,
      "the genesis file: all that is believed; its chain id must be the right one");
  trust->type_name("GENESIS");
  if (!with_steps) trust->required();
  command
      ->add_option("--checkpoint", wanted->checkpoint,
                   "a checkpoint from elsewhere that the receipt must agree with; exit code 4 if "
                   "nothing in the receipt leads to it")
      ->type_name("FILE");
  command->add_flag("--no-work", wanted->without_work,
                    "do not compute the shares' hashes; RandomX takes 256 MiB for that");
  command->callback([wanted, with_steps, &session] { judge(session, *wanted, with_steps); });
}

}  // namespace

void add_event_receipt_command(CLI::App& event, Session& session) {
  const auto wanted = std::make_shared<Getting>();
  CLI::App* command = event.add_subcommand(
      "receipt",
      "what proves to anybody, offline, that an event is in the chain or was rejected; exit code 4 "
      "if there is none yet");
  command->add_option("KEY", wanted->names, "events' keys, or one event's source and id");
  command->add_option("--stream", wanted->stream, "of all events of this stream");
  command->add_option("--from", wanted->from, "of all events from this position on")
      ->type_name("POSITION");
  command
      ->add_option("--to", wanted->to,
                   "up to and with this position; run again, it goes on where it was stopped")
      ->type_name("POSITION");
  command
      ->add_option("--out", wanted->out,
                   "file for one receipt, directory for several; standard output otherwise, a line "
                   "each")
      ->type_name("PATH");
  command->add_flag("--newest", wanted->choice.newest,
                    "end with the newest certificate, which tells all the work since");
  command
      ->add_option("--checkpoint", wanted->checkpoint,
                   "with a path to the log of this checkpoint, so that the two can be compared")
      ->type_name("FILE");
  command
      ->add_option("--data", wanted->choice.data,
                   "from the data directory of a node, running or stopped, or a copy of one")
      ->type_name("DIR");
  command->add_option("--genesis", wanted->choice.genesis, "the genesis file, with --data")
      ->type_name("FILE");
  command->callback([wanted, &session] { get_receipts(session, *wanted); });
}

void add_receipt_commands(CLI::App& app, Session& session) {
  CLI::App* receipt = app.add_subcommand("receipt", "check receipts offline");
  receipt->require_subcommand(1);
  add_judging(*receipt, session, "verify",
              "what receipts prove and what not; exit code 3 with the first step that fails",
              false);
  add_judging(*receipt, session, "explain",
              "the same, with each step; without --trust what receipts claim, unchecked", true);
}

}  // namespace eventchain::tools
