#include "node/witnessing/cosigner.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "store/chain_store.h"

namespace eventchain::node {

using chain::WitnessVerdict;
using net::http::Response;

namespace {

// Each holds its body of at most 256 KiB.
constexpr std::size_t kWaitingMax = 32;
// Heads that an alarm was told of. Only the log's own keys make further ones.
constexpr std::size_t kAlarmsMax = 64;

Response text_answer(int status, std::string text) {
  Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(text);
  response.label = "add_checkpoint";
  return response;
}

Response size_answer(std::uint64_t size) {
  Response response = text_answer(409, chain::encode_witnessed_size(size));
  response.content_type = "text/x.tlog.size";
  return response;
}

Response busy_answer(const std::string& why) {
  Response response = text_answer(503, why);
  response.headers.push_back({"Retry-After", "1"});
  return response;
}

chain::UnixMillis system_clock() {
  return {std::chrono::duration_cast<std::chrono::milliseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

}  // namespace

struct Cosigner::State {
  struct Waiting {
    std::string body;
    Answer answer;
  };

  State(CosignerOptions given, chain::Signing& key, store::WitnessMemory& kept)
      : options(std::move(given)), signing(key), memory(kept) {}

  void run();
  Response handle(const std::string& body);
  Response judge(const chain::WitnessedLog& log, const chain::LogHead& head,
                 const chain::AddCheckpoint& request);
  Response cosign(const std::optional<store::WitnessMemory::Cosigned>& last,
                  const chain::LogHead& head, const chain::AddCheckpoint& request);
  Response refuse_unproven(std::uint64_t known, const chain::LogHead& head);
  bool is_new_alarm(WitnessVerdict verdict, const chain::LogHead& head);
  void settle_alarm(const chain::LogHead& head);
  void tell_contradiction(const store::WitnessMemory::Cosigned& last, const chain::LogHead& head,
                          const chain::AddCheckpoint& request);
  [[nodiscard]] const chain::WitnessedLog* find(const std::string& origin) const;
  void count(std::uint64_t CosignerReport::*what);
  void set_size(const chain::LogHead& head);

  // constant after construction
  const CosignerOptions options;
  chain::Signing& signing;       // the cosigner's thread's
  store::WitnessMemory& memory;  // likewise, once it runs
  std::thread thread;

  struct Alarm {
    WitnessVerdict verdict;
    chain::LogHead head;
    bool operator==(const Alarm&) const = default;
  };
  std::deque<Alarm> alarms;  // told since the start, the newest last; the cosigner's thread's
  std::deque<chain::LogHead> evident;  // whose evidence is on the disk; likewise

  mutable std::mutex mutex;
  std::condition_variable has_work;
  // guarded by mutex
  std::deque<Waiting> waiting;
  bool is_stopping = false;
  CosignerReport report;
};

const chain::WitnessedLog* Cosigner::State::find(const std::string& origin) const {
  const auto found = std::ranges::find_if(
      options.logs, [&](const chain::WitnessedLog& log) { return log.origin == origin; });
  return found == options.logs.end() ? nullptr : &*found;
}

void Cosigner::State::count(std::uint64_t CosignerReport::*what) {
  const std::lock_guard lock(mutex);
  ++(report.*what);
}

void Cosigner::State::set_size(const chain::LogHead& head) {
  const std::lock_guard lock(mutex);
  for (CosignerReport::Log& log : report.logs)
    if (log.origin == head.origin) log.size = head.size;
}

void Cosigner::State::run() {
  for (;;) {
    Waiting next;
    {
      std::unique_lock lock(mutex);
      has_work.wait(lock, [this] { return is_stopping || !waiting.empty(); });
      if (is_stopping) return;
      next = std::move(waiting.front());
      waiting.pop_front();
    }
    next.answer(handle(next.body));
  }
}

Response Cosigner::State::handle(const std::string& body) {
  {
    const std::lock_guard lock(mutex);
    if (!report.failure.empty()) return busy_answer("the witness' disk failed: " + report.failure);
  }
  const auto request = chain::parse_add_checkpoint(body);
  const auto head = request ? chain::parse_log_head(request->checkpoint.text)
                            : chain::Result<chain::LogHead>(tl::unexpected(request.error()));
  if (!head) {
    count(&CosignerReport::refused);
    return text_answer(400, head.error().message + '\n');
  }
  const chain::WitnessedLog* log = find(head->origin);
  if (log == nullptr) {
    count(&CosignerReport::refused);
    return text_answer(404, "this witness does not look after that log\n");
  }
  try {
    return judge(*log, *head, *request);
  } catch (const store::StoreFailure& failure) {
    options.log(Notice::Level::kError,
                fmt::format("the witness' disk failed, and nothing is cosigned until this node is "
                            "started again: {}",
                            failure.what()));
    const std::lock_guard lock(mutex);
    report.failure = failure.what();
    return busy_answer("the witness' disk failed");
  }
}

Response Cosigner::State::judge(const chain::WitnessedLog& log, const chain::LogHead& head,
                                const chain::AddCheckpoint& request) {
  const auto last = memory.last(log.origin);
  const std::uint64_t known = last ? last->head.size : 0;
  const auto verdict =
      chain::judge_checkpoint(log, last ? std::optional(last->head) : std::nullopt, head, request);
  switch (verdict) {
    case WitnessVerdict::kCosign:
      return cosign(last, head, request);
    case WitnessVerdict::kMalformed:
      count(&CosignerReport::refused);
      return text_answer(400, "the old size is greater than the checkpoint's\n");
    case WitnessVerdict::kUntrusted:
      count(&CosignerReport::refused);
      return text_answer(403, "too few of the log's keys have signed the checkpoint\n");
    case WitnessVerdict::kOtherSize:
      count(&CosignerReport::refused);
      return size_answer(known);
    case WitnessVerdict::kOtherRoot:
      tell_contradiction(*last, head, request);
      return size_answer(known);
    case WitnessVerdict::kNeedlessProof:
      count(&CosignerReport::refused);
      return text_answer(422, "the proof must be empty, from nothing or for the same size\n");
    case WitnessVerdict::kUnproven:
      break;
  }
  return refuse_unproven(known, head);
}

Response Cosigner::State::refuse_unproven(std::uint64_t known, const chain::LogHead& head) {
  if (is_new_alarm(WitnessVerdict::kUnproven, head))
    options.log(Notice::Level::kError,
                fmt::format("witness: a checkpoint that the log's keys have signed is not shown to "
                            "continue the one that was cosigned: the log's history was changed, or "
                            "somebody sends a wrong proof log={} cosigned_size={} size={} root={}",
                            head.origin, known, head.size, to_hex(head.root)));
  return text_answer(422, "the proof does not lead from the cosigned checkpoint to this one\n");
}

// An alarm once for each head, in log and count: anybody can show the same one again and again. A
// repetition is counted as any other refusal.
bool Cosigner::State::is_new_alarm(WitnessVerdict verdict, const chain::LogHead& head) {
  const Alarm alarm{verdict, head};
  if (std::ranges::find(alarms, alarm) != alarms.end()) {
    count(&CosignerReport::refused);
    return false;
  }
  count(verdict == WitnessVerdict::kOtherRoot ? &CosignerReport::contradictions
                                              : &CosignerReport::unproven);
  alarms.push_back(alarm);
  if (alarms.size() > kAlarmsMax) alarms.pop_front();
  return true;
}

void Cosigner::State::settle_alarm(const chain::LogHead& head) {
  if (std::erase(alarms, Alarm{WitnessVerdict::kUnproven, head}) == 0) return;
  options.log(Notice::Level::kWarning,
              fmt::format("witness: a checkpoint that was not shown to continue the cosigned one "
                          "is now: the proof before was wrong, and the history is not log={} "
                          "size={} root={}",
                          head.origin, head.size, to_hex(head.root)));
}

Response Cosigner::State::cosign(const std::optional<store::WitnessMemory::Cosigned>& last,
                                 const chain::LogHead& head, const chain::AddCheckpoint& request) {
  const auto now = options.wall_clock ? options.wall_clock() : system_clock();
  const chain::UnixSeconds time{std::max<std::int64_t>(now.value, 0) / 1000};
  // On the disk before the signature exists.
  if (!last || last->head != head) memory.keep({head, encode_note(request.checkpoint)}, time);
  set_size(head);
  settle_alarm(head);
  count(&CosignerReport::cosigned);
  return text_answer(200, encode_note_signature(chain::make_cosignature(signing, options.self, time,
                                                                        request.checkpoint.text)));
}

void Cosigner::State::tell_contradiction(const store::WitnessMemory::Cosigned& last,
                                         const chain::LogHead& head,
                                         const chain::AddCheckpoint& request) {
  const bool is_new = is_new_alarm(WitnessVerdict::kOtherRoot, head);
  if (is_new)
    options.log(
        Notice::Level::kError,
        fmt::format("witness: the keys of a log have signed two histories: another root for "
                    "a size that was cosigned log={} size={} cosigned_root={} root={}",
                    head.origin, head.size, to_hex(last.head.root), to_hex(head.root)));
  if (std::ranges::find(evident, head) != evident.end()) return;
  // Each time that it is shown, until it is kept: whoever reads of the failure makes room.
  const auto file = options.keep_evidence(
      fmt::format("witness-{}-{}-{}.txt", head.size, to_hex(last.head.root).substr(0, 16),
                  to_hex(head.root).substr(0, 16)),
      "Two checkpoints of one log and one size, with other roots. Both are signed.\n\n" +
          last.note + "\n" + encode_note(request.checkpoint));
  if (file) {
    evident.push_back(head);
    if (evident.size() > kAlarmsMax) evident.pop_front();
    options.log(Notice::Level::kError,
                fmt::format("witness: evidence of two histories is kept file={}", *file));
  } else if (is_new) {
    options.log(Notice::Level::kError,
                fmt::format("witness: evidence of two histories is not kept, and will be if the "
                            "checkpoint is shown again once there is room why=\"{}\"",
                            file.error().message));
  }
}

Cosigner::Cosigner(CosignerOptions options, chain::Signing& signing, store::WitnessMemory& memory)
    : state_(std::make_unique<State>(std::move(options), signing, memory)) {
  State& own = *state_;
  for (const chain::WitnessedLog& log : own.options.logs) {
    const auto last = memory.last(log.origin);
    own.report.logs.push_back({log.origin, last ? last->head.size : 0});
  }
  own.thread = std::thread([&own] { own.run(); });
}

Cosigner::~Cosigner() {
  stop();
}

void Cosigner::add_checkpoint(std::string body, Answer answer) {
  // Not only when its turn comes: what waits is bounded.
  if (body.size() > chain::kAddCheckpointBytesMax) {
    state_->count(&CosignerReport::refused);
    return answer(text_answer(413, "a request has 256 KiB at most\n"));
  }
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->is_stopping) return;
    if (state_->waiting.size() < kWaitingMax) {
      state_->waiting.push_back({std::move(body), std::move(answer)});
      state_->has_work.notify_one();
      return;
    }
  }
  answer(busy_answer("too many requests wait; ask again\n"));
}

void Cosigner::stop() {
  std::deque<State::Waiting> forgotten;  // what ends with it runs without the lock
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_stopping = true;
    forgotten.swap(state_->waiting);
  }
  state_->has_work.notify_one();
  if (state_->thread.joinable()) state_->thread.join();
}

CosignerReport Cosigner::report() const {
  const std::lock_guard lock(state_->mutex);
  return state_->report;
}

}  // namespace eventchain::node
