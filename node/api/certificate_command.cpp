#include "node/api/certificate_command.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "node/api/child_process.h"

namespace eventchain::node::api {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

struct Job {
  CertificateWanted wanted;
  CertificateCommand::Done done;
};

// It goes into a JSON text and a file: nothing but what PEM has.
bool is_certificate(std::string_view text) {
  return text.find("-----BEGIN CERTIFICATE-----") != std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 0x20 && c <= 0x7e) || c == '\n' || c == '\r' || c == '\t';
         });
}

}  // namespace

struct CertificateCommand::Worker {
  explicit Worker(CertificateCommandOptions given)
      : options(std::move(given)), halt(::eventfd(0, EFD_CLOEXEC)), thread([this] { work(); }) {}
  ~Worker() {
    if (halt >= 0) ::close(halt);
  }

  void work();
  [[nodiscard]] Result<std::string> run(const CertificateWanted& wanted) const;

  // constant after construction
  const CertificateCommandOptions options;
  const int halt;  // readable once the running child is to be given up

  std::mutex mutex;
  std::condition_variable has_work;
  // guarded by mutex
  std::deque<Job> jobs;
  bool is_stopping = false;

  std::thread thread;  // last: it uses what stands above
};

Result<std::string> CertificateCommand::Worker::run(const CertificateWanted& wanted) const {
  ChildProcess child;
  child.program = options.program;
  child.environment = {"EVENTCHAIN_NODE_ID=" + to_hex(wanted.node),
                       "EVENTCHAIN_NODE_NAME=" + wanted.name};
  child.input = wanted.request;
  child.output_max = options.answer_bytes_max;
  child.time_max = options.time_max;
  child.stop = halt;
  auto said = run_child(child);
  if (said && !is_certificate(*said))
    return fail(ErrorCode::kMalformed,
                options.program.string() + " answered with no certificate in PEM form");
  return said;
}

void CertificateCommand::Worker::work() {
  // Signals are for the thread that waits for them; a child that does not read is no signal at all.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::unique_lock lock(mutex);
  for (;;) {
    has_work.wait(lock, [this] { return is_stopping || !jobs.empty(); });
    if (jobs.empty()) return;
    Job job = std::move(jobs.front());
    jobs.pop_front();
    const bool may_run = !is_stopping;
    lock.unlock();
    job.done(may_run ? run(job.wanted)
                     : Result<std::string>(fail(ErrorCode::kUnavailable, "the node is stopping")));
    lock.lock();
  }
}

CertificateCommand::CertificateCommand(CertificateCommandOptions options)
    : worker_(std::make_unique<Worker>(std::move(options))) {}

CertificateCommand::~CertificateCommand() {
  stop();
}

void CertificateCommand::issue(CertificateWanted wanted, Done done) {
  {
    const std::lock_guard lock(worker_->mutex);
    if (!worker_->is_stopping && worker_->jobs.size() < worker_->options.waiting_max) {
      worker_->jobs.push_back({std::move(wanted), std::move(done)});
      worker_->has_work.notify_one();
      return;
    }
  }
  done(fail(ErrorCode::kUnavailable,
            "too many certificates are being made; sign the request by hand"));
}

void CertificateCommand::stop() {
  {
    const std::lock_guard lock(worker_->mutex);
    worker_->is_stopping = true;
    worker_->has_work.notify_one();
  }
  eventfd_write(worker_->halt, 1);
  if (worker_->thread.joinable()) worker_->thread.join();
}

}  // namespace eventchain::node::api
