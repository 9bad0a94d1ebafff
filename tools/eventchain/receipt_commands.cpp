#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "chain/event.h"
#include "mining/work_functions.h"
#include "node/api/receipt_json.h"
#include "node/genesis_json.h"
#include "store/receipt_maker.h"
#include "store/sqlite/light_scan.h"
#include "store/sqlite/sqlite_reader.h"
#include "tools/eventchain/checkpoint_file.h"
#include "tools/eventchain/cluster_client.h"
#include "tools/eventchain/files.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/receipt_text.h"
#include "tools/eventchain/session.h"
#include "tools/eventchain/table.h"
#include "tools/eventchain/verify.h"

namespace eventchain::tools {

namespace json = boost::json;

namespace {

// --- getting receipts ----------------------------------------------------------------------------

struct Getting {
  std::vector<std::string> names;
  std::string stream;
  std::string out;
  std::string data;
  std::string genesis;
  std::string checkpoint;
  bool newest = false;
};

bool is_key(const std::string& text) {
  const auto octets = chain::from_hex(text);
  return octets && octets->size() == chain::EventKey::kSize;
}

// Where receipts come from: a cluster, or a database that nobody uses.
class ReceiptSource {
 public:
  virtual ~ReceiptSource() = default;
  // An answer of nothing: there is none yet, and `message` says why.
  virtual std::optional<std::string> receipt(const chain::EventKey& key, std::string& message) = 0;
  // Keys of a stream's events from `from` on; empty at its end.
  virtual std::vector<chain::EventKey> stream(const std::string& name, std::uint64_t from) = 0;
};

chain::EventKey key_from(const std::string& text) {
  const auto octets = chain::from_hex(text);
  const auto key = octets ? chain::EventKey::from(*octets) : std::nullopt;
  if (!key)
    throw CommandFailed{Exit::kUsage, "'" + text + "' is no event key (32 lower-case hex digits)"};
  return *key;
}

constexpr std::size_t kKeysPerQuestion = 1000;

class ClusterSource final : public ReceiptSource {
 public:
  ClusterSource(const Session& session, bool newest, std::optional<std::uint64_t> log_size)
      : client_(session) {
    if (newest) query_ += "&certificate=newest";
    if (log_size) query_ += fmt::format("&log_size={}", *log_size);
    if (!query_.empty()) query_.front() = '?';
  }

  std::optional<std::string> receipt(const chain::EventKey& key, std::string& message) override {
    HttpRequest request;
    request.target = "/v1/events/" + to_hex(key) + "/receipt" + query_;
    const HttpResponse answer = value_or_stop(client_.ask(request, std::chrono::seconds(30)));
    if (answer.status == 409) {
      message = problem_text(answer);
      return std::nullopt;
    }
    require_success(answer);
    return answer.body;
  }

  std::vector<chain::EventKey> stream(const std::string& name, std::uint64_t from) override {
    std::string target = "/v1/streams/";
    for (const char c : name) {
      const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                            (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
      target += is_plain
                    ? std::string(1, c)
                    : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    const json::value listed =
        fetch_json(client_, fmt::format("{}?from={}&limit={}", target, from, kKeysPerQuestion));
    std::vector<chain::EventKey> keys;
    const json::value* events = find(listed, "events");
    if (events != nullptr && events->is_array())
      for (const json::value& event : events->get_array())
        keys.push_back(key_from(text_of(event, "key")));
    return keys;
  }

 private:
  ClusterClient client_;
  std::string query_;
};

class ColdSource final : public ReceiptSource {
 public:
  ColdSource(const std::string& data, const std::string& genesis_file, bool newest,
             std::optional<std::uint64_t> log_size)
      : newest_(newest), log_size_(log_size) {
    const chain::Genesis genesis = value_or_stop(node::load_genesis(genesis_file));
    const std::string database = database_in(data);
    if (store::is_light_database(database))
      throw CommandFailed{Exit::kError, database + " is a light member's: it has no events"};
    reader_ = value_or_stop(store::open_reader(database, genesis, 1));
    maker_.emplace(*reader_, genesis);
  }

  std::optional<std::string> receipt(const chain::EventKey& key, std::string& message) override {
    const auto end = newest_ ? store::ReceiptEnd::kNewest : store::ReceiptEnd::kFirst;
    const auto made = maker_->make({key, {end, log_size_}});
    if (made) return value_or_stop(node::api::format_receipt(*made));
    if (made.error().code != chain::ErrorCode::kUnavailable) stop(made.error());
    message = made.error().message;
    return std::nullopt;
  }

  std::vector<chain::EventKey> stream(const std::string& name, std::uint64_t from) override {
    std::vector<chain::EventKey> keys;
    for (const store::PlacedEvent& placed : value_or_stop(reader_->stream(
             chain::stream_key(name), chain::StreamVersion{static_cast<std::int64_t>(from)},
             kKeysPerQuestion)))
      keys.push_back(placed.event.facts.key);
    return keys;
  }

 private:
  const bool newest_;
  const std::optional<std::uint64_t> log_size_;
  std::unique_ptr<store::SqliteReader> reader_;
  std::optional<store::ReceiptMaker> maker_;
};

std::unique_ptr<ReceiptSource> source_of(const Session& session, const Getting& wanted) {
  std::optional<std::uint64_t> log_size;
  if (!wanted.checkpoint.empty())
    log_size = value_or_stop(read_checkpoint_file(wanted.checkpoint)).size;
  if (wanted.data.empty()) return std::make_unique<ClusterSource>(session, wanted.newest, log_size);
  if (wanted.genesis.empty())
    throw CommandFailed{Exit::kUsage, "--data wants --genesis too: a database is read by its file"};
  return std::make_unique<ColdSource>(wanted.data, wanted.genesis, wanted.newest, log_size);
}

// A node could answer every question with the same receipt, and each would hold.
void require_of(const std::string& text, const chain::EventKey& key) {
  const chain::Receipt receipt = value_or_stop(node::api::parse_receipt(text));
  std::optional<chain::EventKey> found;
  if (const auto* rejected = std::get_if<chain::ReceiptRejection>(&receipt.what)) {
    found = rejected->rejection.key;
  } else if (receipt.shown) {
    const auto facts =
        chain::derive_facts(receipt.shown->salt, receipt.shown->body, shown_limits());
    if (facts) found = facts->key;
  }
  if (found != key)
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
    const std::filesystem::path path = is_one_
                                           ? std::filesystem::path(out_)
                                           : std::filesystem::path(out_) / (to_hex(key) + ".json");
    value_or_stop(replace_file(path, receipt + "\n", Secrecy::kPublic));
  }

 private:
  const std::string out_;
  const bool is_one_;
};

void get_receipts(Session& session, const Getting& wanted) {
  if (wanted.names.empty() == wanted.stream.empty())
    throw CommandFailed{Exit::kUsage, "give keys, or a source and an id, or --stream"};
  std::vector<chain::EventKey> keys;
  if (wanted.names.size() == 2 && !is_key(wanted.names[0])) {
    keys.push_back(chain::event_key(wanted.names[0], wanted.names[1]));
  } else {
    for (const std::string& name : wanted.names) keys.push_back(key_from(name));
  }
  const auto source = source_of(session, wanted);
  Outlet outlet(wanted.out, keys.size() == 1);
  const auto get = [&](const chain::EventKey& key) {
    std::string message;
    if (const auto receipt = source->receipt(key, message)) {
      require_of(*receipt, key);
      return outlet.write(key, *receipt);
    }
    fmt::print(stderr, "eventchain: {}: {}\n", to_hex(key), message);
    session.exit = Exit::kNotYet;
  };
  for (const chain::EventKey& key : keys) get(key);
  if (wanted.stream.empty()) return;
  std::uint64_t from = 0;
  std::set<chain::EventKey> seen;
  for (;;) {
    const auto listed = source->stream(wanted.stream, from);
    if (listed.empty()) break;
    for (const chain::EventKey& key : listed) {
      if (!seen.insert(key).second)
        throw CommandFailed{Exit::kError, "the node lists the event " + to_hex(key) + " twice"};
      get(key);
    }
    from += listed.size();
  }
  if (from == 0)
    throw CommandFailed{Exit::kError, "the stream '" + wanted.stream + "' has no events"};
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
  command
      ->add_option("--out", wanted->out,
                   "file for one receipt, directory for several; standard output otherwise, a line "
                   "each")
      ->type_name("PATH");
  command->add_flag("--newest", wanted->newest,
                    "end with the newest certificate, which tells all the work since");
  command
      ->add_option("--checkpoint", wanted->checkpoint,
                   "with a path to the log of this checkpoint, so that the two can be compared")
      ->type_name("FILE");
  command
      ->add_option("--data", wanted->data,
                   "from the data directory of a stopped node, or a copy of one")
      ->type_name("DIR");
  command->add_option("--genesis", wanted->genesis, "the genesis file, with --data")
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
