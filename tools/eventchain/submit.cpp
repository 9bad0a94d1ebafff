#include "tools/eventchain/submit.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "tools/eventchain/json_text.h"
#include "tools/eventchain/progress.h"

namespace eventchain::tools {

namespace json = boost::json;
using chain::Result;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t kComplaintsMax = 20;
// Bounds what is held in memory for the second round.
constexpr std::size_t kConfirmBacklogMax = 1000;
constexpr std::chrono::seconds kServerWait{20};
constexpr std::chrono::seconds kAnswerTimeout{40};
constexpr milliseconds kRetryPause{250};
// A wrong address should be told at once, not after a long patience.
constexpr std::chrono::seconds kFirstContactPatience{10};

const char* name_of(WaitLevel level) {
  switch (level) {
    case WaitLevel::kReceived:
      return "received";
    case WaitLevel::kDurable:
      return "durable";
    case WaitLevel::kCompleted:
      return "completed";
  }
  return "durable";
}

enum class Fate { kFinal, kFar, kNotYet };

// What one outcome of an answer means when `level` was asked for.
Fate fate_of(const std::string& status, const std::string& detail, WaitLevel level) {
  if (status == "completed" || status == "rejected" || status == "erased") return Fate::kFinal;
  if (status == "refused")
    return detail == "pool-full" || detail == "disk-full" || detail == "draining" ? Fate::kNotYet
                                                                                  : Fate::kFinal;
  const bool is_far =
      level == WaitLevel::kReceived || (level == WaitLevel::kDurable && detail == "durable");
  return is_far ? Fate::kFar : Fate::kNotYet;
}

}  // namespace

Submission::Submission(const Session& session, SubmitOptions options)
    : session_(session), options_(std::move(options)), moved_(Clock::now()) {}

SubmitSummary Submission::run() {
  const Clock::time_point started = Clock::now();
  std::vector<std::thread> threads;
  threads.emplace_back([this] { read(); });
  for (std::size_t i = 0; i < options_.connections; ++i)
    threads.emplace_back([this, i] { serve(i); });
  watch();
  for (std::thread& thread : threads) thread.join();
  if (is_stopped_) throw failure_;
  summary_.seconds = std::chrono::duration<double>(Clock::now() - started).count();
  return summary_;
}

// Shows how far everything is until nothing is left to do.
void Submission::watch() {
  const std::uint64_t total = count_events(options_.files);
  const auto is_sent = [this] {
    return is_stopped_ || (is_read_ && to_send_.empty() && sent_ == read_);
  };
  const auto is_over = [this] {
    return is_stopped_ || (is_read_ && to_send_.empty() && to_confirm_.empty() && in_hand_ == 0);
  };
  const auto show = [this](const char* what, std::uint64_t all, const std::uint64_t& done,
                           const auto& is_finished) {
    Progress progress(what, "events", all);
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, milliseconds(100), is_finished)) progress.update(done);
    progress.update(done);
  };
  show("submitting", total, sent_, is_sent);
  if (options_.wait == WaitLevel::kCompleted) show("completing", sent_, summary_.events, is_over);
}

void Submission::read() {
  BatchReader reader(options_.files, options_.batch);
  const std::size_t waiting_max = 2 * std::size_t{options_.connections};
  for (;;) {
    Result<std::optional<EventBatch>> batch = reader.next();
    if (!batch) return stop_all({Exit::kError, batch.error().message});
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return is_stopped_ || to_send_.size() < waiting_max; });
    is_read_ = is_stopped_ || !*batch;
    if (!is_read_) {
      read_ += (*batch)->lines.size();
      to_send_.push_back({std::move(**batch)});
    }
    changed_.notify_all();
    if (is_read_) return;
  }
}

void Submission::serve(std::size_t number) {
  try {
    ClusterClient client(session_, number);
    Work work;
    while (take(work)) {
      const bool reached = send(client, work);
      client.turn();
      if (!reached) pause(kRetryPause);
      set_aside(std::move(work), reached);
      work = Work();
    }
  } catch (const CommandFailed& failure) {
    stop_all(failure);
  }
}

bool Submission::take(Work& work) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] {
    const bool has_work = !to_send_.empty() || !to_confirm_.empty();
    return is_stopped_ || has_work || (is_read_ && in_hand_ == 0);
  });
  if (is_stopped_ || (to_send_.empty() && to_confirm_.empty())) return false;
  const bool confirm = to_send_.empty() || to_confirm_.size() > kConfirmBacklogMax;
  std::deque<Work>& queue = confirm ? to_confirm_ : to_send_;
  work = std::move(queue.front());
  queue.pop_front();
  ++in_hand_;
  changed_.notify_all();
  return true;
}

// What is left of a batch goes back into its queue, or on to the second round.
void Submission::set_aside(Work work, bool reached) {
  const std::lock_guard lock(mutex_);
  --in_hand_;
  const auto patience = was_reached_ ? Clock::duration(options_.patience) : kFirstContactPatience;
  if (reached) moved_ = Clock::now();
  if (!work.batch.lines.empty()) {
    if (!reached && Clock::now() - moved_ > patience) {
      give_up(work);
    } else if (reached || work.is_sent) {
      if (!std::exchange(work.is_sent, true)) sent_ += work.batch.lines.size();
      to_confirm_.push_back(std::move(work));
    } else {
      to_send_.push_front(std::move(work));
    }
  }
  changed_.notify_all();
}

WaitLevel Submission::level_of(const Work& work) const {
  return options_.wait == WaitLevel::kCompleted && !work.is_sent ? WaitLevel::kDurable
                                                                 : options_.wait;
}

bool Submission::send(ClusterClient& client, Work& work) {
  const std::string body = batch_body(work.batch);
  HttpRequest request;
  request.method = "POST";
  request.target = fmt::format("/v1/events?wait={}", name_of(level_of(work)));
  request.content_type = "application/cloudevents-batch+json";
  request.headers = {{"Prefer", fmt::format("wait={}", kServerWait.count())}};
  request.body = body;
  const Result<HttpResponse> answer = client.ask(request, kAnswerTimeout);
  if (!answer) {
    const std::lock_guard lock(mutex_);
    trouble_ = answer.error().message;
    return false;
  }
  const Result<json::value> parsed = parse_json(answer->body, "the answer");
  const json::value* events = parsed ? find(*parsed, "events") : nullptr;
  const std::lock_guard lock(mutex_);
  was_reached_ = true;
  if (events != nullptr && events->is_array() &&
      events->get_array().size() == work.batch.lines.size())
    return judge(events->get_array(), work);
  trouble_ = problem_text(*answer);
  switch (answer->status) {
    case 400:
    case 413:
    case 422:
      split(work, trouble_);
      return true;
    case 401:
    case 403:
    case 404:
    case 415:
      throw CommandFailed{Exit::kError, trouble_};
    default:
      return false;
  }
}

bool Submission::judge(const json::array& outcomes, Work& work) {
  EventBatch left;
  bool reached = true;
  const bool wants_more = options_.wait == WaitLevel::kCompleted;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const std::string status = text_of(outcomes[i], "status");
    const std::string detail = text_of(outcomes[i], "detail");
    const Fate fate = fate_of(status, detail, level_of(work));
    if (fate == Fate::kFinal || (fate == Fate::kFar && !wants_more)) {
      const bool is_taken = status == "completed" || status == "in-progress";
      tally(work, status + " " + detail, is_taken ? Exit::kOk : Exit::kError);
      if (!is_taken) complain(work.batch.origins[i], status + ": " + detail);
      continue;
    }
    if (fate == Fate::kNotYet) {
      reached = false;
      trouble_ = status + ": " + detail;
    }
    left.bytes += work.batch.lines[i].size() + 1;
    left.lines.push_back(std::move(work.batch.lines[i]));
    left.origins.push_back(std::move(work.batch.origins[i]));
  }
  if (left.lines.size() < outcomes.size()) moved_ = Clock::now();
  work.batch = std::move(left);
  return reached;
}

// One bad line spoils the whole request: the lines are sent one by one to find it. Leaves the batch
// empty.
void Submission::split(Work& work, const std::string& problem) {
  const EventBatch batch = std::exchange(work.batch, {});
  if (batch.lines.size() == 1) {
    tally(work, "invalid", Exit::kError);
    complain(batch.origins.front(), problem);
    return;
  }
  for (std::size_t i = 0; i < batch.lines.size(); ++i) {
    Work single;
    single.batch.lines.push_back(batch.lines[i]);
    single.batch.origins.push_back(batch.origins[i]);
    single.batch.bytes = batch.lines[i].size() + 1;
    to_send_.push_front(std::move(single));
  }
}

void Submission::pause(milliseconds time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, time, [this] { return is_stopped_; });
}

void Submission::give_up(const Work& work) {
  const Exit exit = work.is_sent ? Exit::kNotYet : Exit::kUnreachable;
  const std::string outcome = work.is_sent ? "in-progress durable" : "unanswered";
  for (const std::string& origin : work.batch.origins) {
    tally(work, outcome, exit);
    complain(origin, outcome + ", last heard: " + trouble_);
  }
}

void Submission::tally(const Work& work, const std::string& outcome, Exit exit) {
  if (!work.is_sent) ++sent_;
  ++summary_.outcomes[outcome];
  ++summary_.events;
  if (exit > summary_.exit) summary_.exit = exit;
}

void Submission::complain(const std::string& origin, const std::string& text) {
  if (summary_.complaints.size() < kComplaintsMax)
    summary_.complaints.push_back(origin + ": " + text);
}

void Submission::stop_all(CommandFailed failure) {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(is_stopped_, true)) failure_ = std::move(failure);
  changed_.notify_all();
}

}  // namespace eventchain::tools
