#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "chain/event.h"
#include "mining/work_functions.h"
#include "node/api/receipt_json.h"
#include "node/genesis_json.h"
#include "tools/eventchain/checkpoint_file.h"
#include "tools/eventchain/files.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/progress.h"
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

// Of which event it is, as far as it shows that.
std::optional<chain::EventKey> key_in(const std::string& text) {
  const auto receipt = node::api::parse_receipt(text);
  if (!receipt) return std::nullopt;
  if (const auto* rejected = std::get_if<chain::ReceiptRejection>(&receipt->what))
    return rejected->rejection.key;
  if (!receipt->shown) return std::nullopt;
  const auto facts =
      chain::derive_facts(receipt->shown->salt, receipt->shown->body, shown_limits());
  if (!facts || facts->commitment != chain::commitment_of(*receipt)) return std::nullopt;
  return facts->key;
}

// A node could answer every question with the same receipt, and each would hold.
void require_of(const std::string& text, const chain::EventKey& key) {
  value_or_stop(node::api::parse_receipt(text));
  if (key_in(text) != key)
    throw CommandFailed{Exit::kTampered,
                        "the answer about " + to_hex(key) +
                            " is no receipt of that event; ask another node, and look at this one"};
}

// One receipt to a file or standard output; several as files of a directory, or as lines.
class Outlet {
 public:
  Outlet(std::string out, bool is_one) : out_(std::move(out)), is_one_(is_one) {
    if (!out_.empty() && !is_one_) value_or_stop(make_directory(out_));
  }
  void write(const chain::EventKey& key, const std::string& receipt) {
    if (out_.empty()) {
      std::cout << receipt << '\n';
      if (!std::cout.flush()) throw CommandFailed{Exit::kError, "cannot write the receipt"};
      return;
    }
    value_or_stop(replace_file(file_of(key), receipt + "\n", Secrecy::kPublic));
  }
  // Whether an earlier run has left a whole receipt of this event.
  [[nodiscard]] bool has(const chain::EventKey& key) const {
    if (out_.empty() || is_one_) return false;
    const auto text = read_file(file_of(key), node::api::kReceiptBytesMax);
    return text && key_in(*text) == key;
  }

 private:
  [[nodiscard]] std::filesystem::path file_of(const chain::EventKey& key) const {
    return is_one_ ? std::filesystem::path(out_)
                   : std::filesystem::path(out_) / (to_hex(key) + ".json");
  }

  const std::string out_;
  const bool is_one_;
};

class Collector {
 public:
  Collector(Session& session, ReceiptSource& source, Outlet& outlet)
      : session_(session), source_(source), outlet_(outlet) {}

  void get(const std::vector<chain::EventKey>& keys) {
    const auto answers = source_.receipts(keys);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (answers[i]) {
        require_of(*answers[i], keys[i]);
        outlet_.write(keys[i], *answers[i]);
        continue;
      }
      fmt::print(stderr, "eventchain: {}: {}\n", to_hex(keys[i]), answers[i].error().message);
      session_.exit = Exit::kNotYet;
    }
  }

 private:
  Session& session_;
  ReceiptSource& source_;
  Outlet& outlet_;
};

void get_stream(const std::string& name, ReceiptSource& source, Collector& collector) {
  std::uint64_t from = 0;
  std::set<chain::EventKey> seen;
  for (;;) {
    const auto listed = source.stream(name, from);
    if (listed.empty()) break;
    for (const chain::EventKey& key : listed)
      if (!seen.insert(key).second)
        throw CommandFailed{Exit::kError, "the node lists the event " + to_hex(key) + " twice"};
    collector.get(listed);
    from += listed.size();
  }
  if (from == 0) throw CommandFailed{Exit::kError, "the stream '" + name + "' has no events"};
}

// A page at a time, so that any range needs the same memory. What an earlier run has got is left.
void get_range(const Getting& wanted, ReceiptSource& source, Outlet& outlet, Collector& collector) {
  constexpr std::size_t kAtOnce = 64;  // between two looks of the progress
  const std::uint64_t size = source.log_size();
  const std::uint64_t first = wanted.from.value_or(0);
  const std::uint64_t end = wanted.to && *wanted.to < size ? *wanted.to + 1 : size;
  if (wanted.to && *wanted.to < first) throw CommandFailed{Exit::kUsage, "--to is below --from"};
  if (first >= size || (wanted.to && *wanted.to >= size))
    throw CommandFailed{Exit::kNotYet, fmt::format("the log has {} events, up to position {}", size,
                                                   static_cast<std::int64_t>(size) - 1)};
  Progress progress("getting receipts", "receipts", end - first);
  std::uint64_t kept = 0;
  for (std::uint64_t at = first; at < end;) {
    std::vector<chain::EventKey> page = source.log(at);
    if (page.empty())
      throw CommandFailed{Exit::kError, fmt::format("nothing is at position {} any more", at)};
    page.resize(std::min<std::uint64_t>(page.size(), end - at));
    for (std::size_t begin = 0; begin < page.size(); begin += kAtOnce) {
      std::vector<chain::EventKey> some;
      for (std::size_t i = begin; i < std::min(page.size(), begin + kAtOnce); ++i)
        if (outlet.has(page[i]))
          ++kept;
        else
          some.push_back(page[i]);
      if (!some.empty()) collector.get(some);
      progress.update(at + std::min(page.size(), begin + kAtOnce) - first);
    }
    at += page.size();
  }
  progress.finish();
  if (kept > 0) fmt::print(stderr, "{} were there already, and were left as they are\n", kept);
}

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
  Outlet outlet(wanted.out, keys.size() == 1);
  Collector collector(session, *source, outlet);
  if (!wanted.stream.empty())
    get_stream(wanted.stream, *source, collector);
  else if (has_range)
    get_range(wanted, *source, outlet, collector);
  else
    for (const chain::EventKey& key : keys) collector.get({key});
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
