#include "node/api/work_proofs.h"

#include <pthread.h>

#include <csignal>
#include <system_error>
#include <utility>

#include "node/api/work_proof_json.h"
#include "store/chain_store.h"
#include "store/work_proof_maker.h"

namespace eventchain::node::api {

using chain::Result;

WorkProofs::WorkProofs(store::ChainReader& reader, const chain::Genesis& genesis)
    : reader_(reader), genesis_(genesis) {}

WorkProofs::~WorkProofs() {
  stop();
}

bool WorkProofs::make(const chain::WorkSampling& sampling, Done done) {
  const std::lock_guard lock(mutex_);
  if (is_stopping_ || jobs_.size() >= kWaitingMax) return false;
  try {
    if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  } catch (const std::system_error&) {
    return false;  // no thread is to be had now
  }
  jobs_.push_back({sampling, std::move(done)});
  has_work_.notify_one();
  return true;
}

void WorkProofs::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    jobs_.clear();
    has_work_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void WorkProofs::work() {
  // Signals are for the thread that waits for them.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::unique_lock lock(mutex_);
  for (;;) {
    has_work_.wait(lock, [this] { return is_stopping_ || !jobs_.empty(); });
    if (is_stopping_) return;
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job.done(proof(job.sampling));
    lock.lock();
  }
}

const Result<std::string>& WorkProofs::proof(const chain::WorkSampling& sampling) {
  try {
    const store::TipInfo tip = reader_.tip();
    const Made wanted{sampling, tip.id, reader_.certificate(tip.height).size()};
    if (made_ == wanted) return last_;
    // An error may pass, on the disk as in the chain.
    made_.reset();
    const auto made = store::WorkProofMaker(reader_, genesis_).make(sampling);
    last_ = made ? format_work_proof(*made)
                 : Result<std::string>(tl::unexpected<chain::Error>(made.error()));
    if (last_) made_ = wanted;
  } catch (const store::StoreFailure& failure) {
    last_ = chain::fail(chain::ErrorCode::kIo, failure.what());
  }
  return last_;
}

}  // namespace eventchain::node::api
