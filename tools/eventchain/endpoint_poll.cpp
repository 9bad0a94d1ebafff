#include "tools/eventchain/endpoint_poll.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "tools/eventchain/json_text.h"

namespace eventchain::tools {

using chain::Result;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

namespace {

std::atomic<bool> g_has_stragglers{false};

milliseconds wall_now() {
  return duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
}

struct Job {
  std::uint64_t round = 0;
  Steady::time_point deadline;
  bool wants_members = false;
};

milliseconds left_until(Steady::time_point deadline) {
  return std::max(duration_cast<milliseconds>(deadline - Steady::now()), milliseconds(1));
}

// The body, or what was wrong into `trouble`.
std::string fetch(HttpConnection& connection, const char* target, Steady::time_point deadline,
                  std::string& trouble) {
  HttpRequest request;
  request.target = target;
  Result<HttpResponse> answer = connection.exchange(request, left_until(deadline));
  if (!answer) {
    trouble = answer.error().message;
    // People know whom they asked.
    const std::string prefix = connection.endpoint().text + ": ";
    if (trouble.starts_with(prefix)) trouble.erase(0, prefix.size());
    return {};
  }
  if (answer->ok()) return std::move(answer->body);
  trouble = answer->status == 404
                ? "it does not know " + std::string(target) + ": an older program, or no node"
                : "it answered " + std::to_string(answer->status);
  return {};
}

Polled ask(HttpConnection& connection, const Job& job) {
  Polled polled;
  polled.endpoint = connection.endpoint().text;
  // First the one whose time does not matter: it makes the connection.
  if (job.wants_members)
    polled.members = fetch(connection, "/v1/members", job.deadline, polled.trouble);
  if (!polled.trouble.empty()) return polled;
  const milliseconds before = wall_now();
  polled.node = fetch(connection, "/v1/node", job.deadline, polled.trouble);
  const milliseconds after = wall_now();
  polled.asked_at = before + (after - before) / 2;
  polled.uncertainty = std::max((after - before) / 2, milliseconds(1));
  return polled;
}

}  // namespace

struct EndpointPoll::Shared {
  std::mutex mutex;
  std::condition_variable changed;
};

// Guarded by the shared mutex but for the connection, which is the thread's.
struct EndpointPoll::Worker {
  explicit Worker(HttpConnection given) : connection(std::move(given)) {}
  HttpConnection connection;
  std::optional<Job> job;        // to be begun
  bool is_busy = false;          // with one
  bool ends = false;             // as soon as it is not
  std::uint64_t done_round = 0;  // of `result`
  Polled result;
  std::thread thread;
};

EndpointPoll::EndpointPoll(std::shared_ptr<const TlsContext> tls)
    : tls_(std::move(tls)), shared_(std::make_shared<Shared>()) {}

EndpointPoll::~EndpointPoll() {
  // Their deadlines are over; only a name server can hold them longer.
  constexpr milliseconds kPatience{300};
  std::unique_lock lock(shared_->mutex);
  for (const auto& [endpoint, worker] : workers_) worker->ends = true;
  shared_->changed.notify_all();
  shared_->changed.wait_for(lock, kPatience, [this] {
    return std::ranges::none_of(workers_, [](const auto& one) { return one.second->is_busy; });
  });
  for (const auto& [endpoint, worker] : workers_) {
    if (worker->is_busy) {
      worker->thread.detach();
      g_has_stragglers = true;
      continue;
    }
    lock.unlock();
    worker->thread.join();
    lock.lock();
  }
}

bool EndpointPoll::has_stragglers() {
  return g_has_stragglers;
}

void EndpointPoll::work(const std::shared_ptr<Shared>& shared,
                        const std::shared_ptr<Worker>& worker) {
  std::unique_lock lock(shared->mutex);
  for (;;) {
    shared->changed.wait(lock, [&worker] { return worker->job || worker->ends; });
    if (worker->ends) return;
    const Job job = *std::exchange(worker->job, std::nullopt);
    worker->is_busy = true;
    lock.unlock();
    Polled result = ask(worker->connection, job);
    lock.lock();
    worker->is_busy = false;
    worker->done_round = job.round;
    worker->result = std::move(result);
    shared->changed.notify_all();
  }
}

std::shared_ptr<EndpointPoll::Worker> EndpointPoll::worker_of(const std::string& endpoint) {
  const auto known = workers_.find(endpoint);
  if (known != workers_.end()) return known->second;
  const Result<Endpoint> parsed = parse_endpoint(endpoint);
  if (!parsed || (parsed->tls && tls_ == nullptr)) return nullptr;
  auto worker = std::make_shared<Worker>(HttpConnection(*parsed, parsed->tls ? tls_ : nullptr));
  worker->thread = std::thread([shared = shared_, worker] { work(shared, worker); });
  workers_.emplace(endpoint, worker);
  return worker;
}

std::vector<Polled> EndpointPoll::round(const std::vector<std::string>& endpoints,
                                        milliseconds timeout, const Discover& discover) {
  struct Asked {
    std::shared_ptr<Worker> worker;
    Steady::time_point deadline;
    bool is_over = false;
  };
  const std::uint64_t round = ++rounds_;
  std::vector<Polled> answers;
  std::vector<Asked> asked;  // with the same indexes
  std::unique_lock lock(shared_->mutex);
  const auto begin = [&](const std::string& endpoint, bool is_first) {
    const auto is_known = [&](const Polled& one) { return one.endpoint == endpoint; };
    if (std::ranges::any_of(answers, is_known)) return;
    answers.emplace_back();
    answers.back().endpoint = endpoint;
    answers.back().trouble = "no answer in time";
    asked.push_back({worker_of(endpoint), Steady::now() + timeout, false});
    if (asked.back().worker == nullptr) {
      answers.back().trouble = "it is no endpoint that can be asked";
      asked.back().is_over = true;
    } else if (!asked.back().worker->is_busy) {
      asked.back().worker->job = Job{round, asked.back().deadline, is_first};
    }
  };
  for (const std::string& endpoint : endpoints) begin(endpoint, true);
  shared_->changed.notify_all();
  const std::size_t first_ones = asked.size();
  // A thread that is on time tells a moment after its deadline why there is no answer.
  constexpr milliseconds kGrace{100};
  for (;;) {
    std::optional<Steady::time_point> wait_until;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      if (asked[i].is_over) continue;
      if (asked[i].worker->done_round == round) {
        answers[i] = asked[i].worker->result;
        asked[i].is_over = true;
        if (i < first_ones && discover && answers[i].trouble.empty())
          for (const std::string& endpoint : discover(answers[i])) begin(endpoint, false);
        shared_->changed.notify_all();
      } else if (Steady::now() >= asked[i].deadline + kGrace) {
        asked[i].is_over = true;
      } else {
        const auto end = asked[i].deadline + kGrace;
        wait_until = std::min(wait_until.value_or(end), end);
      }
    }
    if (!wait_until) return answers;
    shared_->changed.wait_until(lock, *wait_until);
  }
}

}  // namespace eventchain::tools
