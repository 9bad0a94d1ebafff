#include "node/witnessing/log_witnesses.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "chain/rng.h"
#include "net/http/client.h"
#include "node/api/final_checkpoint.h"
#include "node/witnessing/cluster_word.h"
#include "node/witnessing/witness_board.h"
#include "store/chain_store.h"

namespace eventchain::node {

using chain::Result;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

namespace {

// Nodes that start together do not ask together.
constexpr milliseconds kFirstRoundWithin{3'000};

chain::UnixMillis wall_clock() {
  return {
      std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count()};
}

std::vector<WitnessName> names_of(const LogWitnessesOptions& options) {
  std::vector<WitnessName> names;
  for (const auto& one : options.witnesses) names.push_back({one.verifier, one.url});
  return names;
}

}  // namespace

struct LogWitnesses::State {
  State(LogWitnessesOptions given, NodePort& node, store::ChainReader& chain_reader,
        store::CosignatureMemory& cosignatures)
      : options(std::move(given)),
        port(node),
        reader(chain_reader),
        memory(cosignatures),
        rng(chain::load_little_endian<std::uint64_t>(node.draw_salt().octets.data())),
        board(names_of(options), options.quorum) {}

  void run_rounds();
  void run_witness(std::size_t index);
  void begin_round();
  void confirm_kept(const OwnLog& own);
  void judge_claims();
  void ask(std::size_t index, std::uint64_t round, const Offer& offer);
  void take_cosigned(std::size_t index, std::uint64_t round, const Offer& offer,
                     const OfferOutcome& outcome);
  void take_failed(std::size_t index, const OfferOutcome& outcome);
  [[nodiscard]] OwnLog own_log() const { return {reader.tip().log_size, false}; }
  // The same, with all that was committed before the call; not current if the cluster does not say
  // so in time, or this is stopped. Blocks.
  [[nodiscard]] OwnLog current_log();
  [[nodiscard]] chain::TreeReader tree() const {
    return
        [this](std::uint8_t level, std::uint64_t index) { return reader.tree_hash(level, index); };
  }
  // False when it is over.
  bool wait_for(milliseconds time);
  double draw();

  // constant after make()
  const LogWitnessesOptions options;
  NodePort& port;
  store::ChainReader& reader;
  store::CosignatureMemory& memory;  // guarded by keeping
  std::vector<std::unique_ptr<net::http::Client>> clients;
  std::vector<std::thread> threads;
  ClusterWord cluster;

  std::mutex keeping;  // held while the disk is written; taken before `mutex`

  mutable std::mutex mutex;
  std::condition_variable moved;
  // guarded by mutex
  chain::Rng rng;
  WitnessBoard board;
  std::uint64_t round = 0;  // the newest
  Offer offer;              // its
  bool is_stopping = false;
  std::string failure;  // of the memory, which is not written any more

  std::atomic<std::uint64_t> witnessed{0};
};

bool LogWitnesses::State::wait_for(milliseconds time) {
  std::unique_lock lock(mutex);
  return !moved.wait_for(lock, time, [this] { return is_stopping; });
}

double LogWitnesses::State::draw() {
  constexpr std::uint64_t kSteps = 1 << 20;
  const std::lock_guard lock(mutex);
  return static_cast<double>(rng.below(kSteps)) / static_cast<double>(kSteps);
}

OwnLog LogWitnesses::State::current_log() {
  const bool is_current = cluster.has_said(port, options.timeout);
  return {reader.tip().log_size, is_current};  // read after the answer, not before
}

void LogWitnesses::State::run_rounds() {
  const milliseconds first = std::min(options.interval, kFirstRoundWithin);
  milliseconds pause{static_cast<milliseconds::rep>(static_cast<double>(first.count()) * draw())};
  while (wait_for(pause)) {
    try {
      bool is_unconfirmed = false;
      {
        const std::lock_guard lock(mutex);
        is_unconfirmed = board.unconfirmed().has_value();
      }
      if (is_unconfirmed) confirm_kept(current_log());
      judge_claims();
      begin_round();
    } catch (const std::exception& thrown) {
      options.log(Notice::Level::kError,
                  fmt::format("witnesses: a round cannot begin: {}", thrown.what()));
    }
    pause = options.interval;
  }
}

// Compares what an earlier run kept with the log that is there now.
void LogWitnesses::State::confirm_kept(const OwnLog& own) {
  std::optional<chain::LogHead> kept;
  {
    const std::lock_guard lock(mutex);
    kept = board.unconfirmed();
  }
  if (!kept) return;
  std::optional<bool> is_in_log;
  if (own.size >= kept->size) {
    const auto root = chain::root_at(kept->size, tree());
    if (!root)
      return options.log(Notice::Level::kError, fmt::format("witnesses: the log cannot be read: {}",
                                                            root.error().message));
    is_in_log = *root == kept->root;
  }
  std::string alarm;
  {
    const std::lock_guard lock(mutex);
    if (is_in_log)
      board.confirm(*is_in_log);
    else if (own.is_current)
      board.miss();
    witnessed.store(board.witnessed_size());
    alarm = board.report().alarm;
  }
  if (!alarm.empty()) options.log(Notice::Level::kError, "witness ALARM: " + alarm);
}

void LogWitnesses::State::begin_round() {
  const auto checkpoint = api::final_checkpoint(reader, port.certified());
  if (!checkpoint)
    return options.log(Notice::Level::kError,
                       fmt::format("witnesses: no checkpoint: {}", checkpoint.error().message));
  // The empty log has nothing to vouch for.
  if (!*checkpoint || !(*checkpoint)->has_majority || (*checkpoint)->head.size == 0) return;
  const std::lock_guard lock(mutex);
  offer = {(*checkpoint)->head, (*checkpoint)->note};
  round = board.begin(offer).number;
  moved.notify_all();
}

void LogWitnesses::State::run_witness(std::size_t index) {
  std::uint64_t done = 0;
  Clock::time_point not_before = Clock::now();
  for (;;) {
    Offer mine;
    {
      std::unique_lock lock(mutex);
      moved.wait(lock, [&] { return is_stopping || round > done; });
      if (is_stopping) return;
      done = round;
      mine = offer;
    }
    if (Clock::now() < not_before) continue;
    try {
      ask(index, done, mine);
    } catch (const std::exception& thrown) {
      options.log(Notice::Level::kError,
                  fmt::format("witnesses: a witness cannot be asked: {}", thrown.what()));
    }
    const double drawn = draw();
    const std::lock_guard lock(mutex);
    not_before = Clock::now() + pause_after(board.failures(index), options.interval, drawn);
  }
}

void LogWitnesses::State::ask(std::size_t index, std::uint64_t of_round, const Offer& mine) {
  std::uint64_t known_size = 0;
  {
    const std::lock_guard lock(mutex);
    known_size = board.known_size(index);
  }
  const OfferOutcome outcome = offer_checkpoint(
      options.witnesses[index].verifier, mine, known_size, tree(), [&](const std::string& body) {
        return clients[index]->post("/add-checkpoint", "text/plain; charset=utf-8", body);
      });
  {
    const std::lock_guard lock(mutex);
    if (is_stopping) return;  // what a cancelled request came to is nobody's fault
  }
  if (outcome.kind == OfferOutcome::Kind::kCosigned)
    take_cosigned(index, of_round, mine, outcome);
  else
    take_failed(index, outcome);
}

void LogWitnesses::State::take_cosigned(std::size_t index, std::uint64_t of_round,
                                        const Offer& mine, const OfferOutcome& outcome) {
  const std::lock_guard keeps(keeping);
  WitnessBoard::Kept kept;
  {
    const std::lock_guard lock(mutex);
    if (!failure.empty()) return;
    kept = board.prepare(of_round, mine, index, outcome, wall_clock());
  }
  try {
    memory.keep(kept.cosigned, kept.witnessed);
  } catch (const store::StoreFailure& thrown) {
    const std::string why = fmt::format(
        "cosignatures cannot be kept, and do not count until this node is started again: {}",
        thrown.what());
    options.log(Notice::Level::kError, "witnesses: " + why);
    const std::lock_guard lock(mutex);
    failure = why;
    return;
  }
  std::string problem;
  {
    const std::lock_guard lock(mutex);
    board.take_cosigned(of_round, index, outcome, std::move(kept));
    witnessed.store(board.witnessed_size());
    problem = board.report().witnesses[index].problem;
  }
  // Said for good in the report, and in the log each time that it is seen.
  if (outcome.has_forgotten)
    options.log(Notice::Level::kError, fmt::format("witness: {} name={}", problem,
                                                   options.witnesses[index].verifier.name));
}

void LogWitnesses::State::take_failed(std::size_t index, const OfferOutcome& outcome) {
  Notice notice;
  {
    const std::lock_guard lock(mutex);
    notice = board.take_failed(index, outcome);
  }
  options.log(notice.level, notice.text);
  judge_claims();
}

// What witnesses say that they know of the log, compared with what the cluster says of it after
// that.
void LogWitnesses::State::judge_claims() {
  std::uint64_t made = 0;
  {
    const std::lock_guard lock(mutex);
    if (!board.has_claims()) return;
    made = board.claims_made();
  }
  const OwnLog own = current_log();
  std::vector<Notice> told;
  {
    const std::lock_guard lock(mutex);
    told = board.judge_claims(own, made);
  }
  for (const Notice& notice : told) options.log(notice.level, notice.text);
}

LogWitnesses::LogWitnesses(std::unique_ptr<State> state) : state_(std::move(state)) {}

LogWitnesses::~LogWitnesses() {
  stop();
}

Result<std::unique_ptr<LogWitnesses>> LogWitnesses::make(LogWitnessesOptions options,
                                                         NodePort& port, store::ChainReader& reader,
                                                         store::CosignatureMemory& memory) {
  auto state = std::make_unique<State>(std::move(options), port, reader, memory);
  for (const auto& one : state->options.witnesses) {
    auto url = net::http::parse_url(one.url);
    if (!url) return tl::unexpected<chain::Error>(url.error());
    net::http::ClientOptions wanted;
    wanted.url = std::move(*url);
    wanted.ca_file = one.ca_file;
    wanted.timeout = state->options.timeout;
    auto client = net::http::Client::make(std::move(wanted));
    if (!client)
      return chain::fail(client.error().code,
                         fmt::format("configuration: witnesses.nodes.ca of {}: {}",
                                     one.verifier.name, client.error().message));
    state->clients.push_back(std::move(*client));
  }
  try {
    for (const std::string& problem : state->board.restore(memory.cosigned(), memory.witnessed()))
      state->options.log(Notice::Level::kError, "witnesses: " + problem);
    state->confirm_kept(state->own_log());
  } catch (const store::StoreFailure& thrown) {
    return chain::fail(
        chain::ErrorCode::kIo,
        fmt::format("what witnesses have cosigned cannot be read: {}", thrown.what()));
  }
  return std::unique_ptr<LogWitnesses>(new LogWitnesses(std::move(state)));
}

void LogWitnesses::start() {
  State& own = *state_;
  own.threads.emplace_back([&own] { own.run_rounds(); });
  for (std::size_t i = 0; i < own.options.witnesses.size(); ++i)
    own.threads.emplace_back([&own, i] { own.run_witness(i); });
}

void LogWitnesses::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_stopping = true;
  }
  state_->moved.notify_all();
  state_->cluster.stop();
  for (const auto& client : state_->clients) client->cancel();
  for (std::thread& one : state_->threads) one.join();
  state_->threads.clear();
}

WitnessesReport LogWitnesses::report() const {
  WitnessesReport made;
  {
    const std::lock_guard lock(state_->mutex);
    made = state_->board.report();
    made.failure = state_->failure;
  }
  if (made.seen) {
    const milliseconds since(wall_clock().value - made.seen->value);
    made.age = std::max(since, milliseconds(0));
  }
  return made;
}

std::uint64_t LogWitnesses::witnessed_size() const {
  return state_->witnessed.load();
}

std::optional<std::string> LogWitnesses::witnessed_note() const {
  const std::lock_guard lock(state_->mutex);
  return state_->board.witnessed_note();
}

std::vector<chain::NoteSignature> LogWitnesses::cosignatures_on(chain::ByteView text) const {
  const std::lock_guard lock(state_->mutex);
  return state_->board.cosignatures_on(text);
}

}  // namespace eventchain::node
