#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "chain/genesis.h"
#include "chain/result.h"
#include "chain/work_sampling.h"
#include "store/chain_reader.h"

namespace eventchain::node::api {

// Makes work proofs one at a time, on a thread of its own: the dearest that may be asked for reads
// some ten thousand rows, and the clients of a server's thread would all wait for that. The last
// one is kept until the chain has moved on, so that it costs the same whoever asks for it how
// often.
//
// Lifecycle: the thread begins with the first call. stop() or the destructor drops those that wait.
class WorkProofs {
 public:
  static constexpr std::size_t kWaitingMax = 16;  // some kilobytes each; a proof has 16 MiB at most
  // The proof as JSON, or why there is none (work_proof_maker.h). On this object's thread.
  using Done = std::function<void(const chain::Result<std::string>&)>;

  // Both outlive it.
  WorkProofs(store::ChainReader& reader, const chain::Genesis& genesis);
  ~WorkProofs();
  WorkProofs(const WorkProofs&) = delete;
  WorkProofs& operator=(const WorkProofs&) = delete;

  // Thread-safe. False, and `done` is not called: too many wait already, or stop() was called.
  [[nodiscard]] bool make(const chain::WorkSampling& sampling, Done done);
  void stop();

 private:
  struct Job {
    chain::WorkSampling sampling;
    Done done;
  };
  // What a proof hangs on: parameters, the tip, and who has signed that.
  struct Made {
    chain::WorkSampling sampling;
    chain::BlockId tip;
    std::size_t signatures = 0;
    bool operator==(const Made&) const = default;
  };

  void work();
  const chain::Result<std::string>& proof(const chain::WorkSampling& sampling);

  store::ChainReader& reader_;
  const chain::Genesis& genesis_;
  std::mutex mutex_;
  std::condition_variable has_work_;
  // guarded by mutex_
  std::deque<Job> jobs_;
  bool is_stopping_ = false;
  std::thread thread_;
  // the thread's own
  std::optional<Made> made_;
  chain::Result<std::string> last_;
};

}  // namespace eventchain::node::api
