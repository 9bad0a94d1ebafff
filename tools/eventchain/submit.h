#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tools/eventchain/cluster_client.h"
#include "tools/eventchain/ndjson.h"
#include "tools/eventchain/session.h"

namespace boost::json {
class array;
}

namespace eventchain::tools {

enum class WaitLevel { kReceived, kDurable, kCompleted };

struct SubmitOptions {
  std::vector<std::string> files;
  BatchLimits batch;
  unsigned connections = 4;
  WaitLevel wait = WaitLevel::kDurable;
  std::chrono::seconds patience{120};  // how long nothing at all may get on
};

// What became of the events, by outcome ("completed", "in-progress durable", ...).
struct SubmitSummary {
  std::map<std::string, std::uint64_t> outcomes;
  std::vector<std::string> complaints;  // the first few events that were not taken, each by origin
  std::uint64_t events = 0;
  double seconds = 0;
  Exit exit = Exit::kOk;
};

// Submits from several connections to all endpoints in turn. Everything is sent again after a
// refusal for the moment or a lost connection: an event's source and id make that harmless. To be
// quick even when blocks are slow, events are first made durable, and a second round asks for the
// completion of what was sent. Runs its own threads; joins them all before run() returns.
class Submission {
 public:
  Submission(const Session& session, SubmitOptions options);
  SubmitSummary run();

 private:
  struct Work {
    EventBatch batch;
    bool is_sent = false;  // durable already; to be asked for completion
  };
  using Clock = std::chrono::steady_clock;

  void read();
  void serve(std::size_t number);
  bool take(Work& work);
  // True if the batch came as far as asked. What is decided about is tallied and leaves the batch.
  bool send(ClusterClient& client, Work& work);
  bool judge(const boost::json::array& outcomes, Work& work);
  void set_aside(Work work, bool reached);
  void split(Work& work, const std::string& problem);
  void pause(std::chrono::milliseconds time);
  void give_up(const Work& work);
  void tally(const Work& work, const std::string& outcome, Exit exit);
  void complain(const std::string& origin, const std::string& text);
  void stop_all(CommandFailed failure);
  [[nodiscard]] WaitLevel level_of(const Work& work) const;
  void watch();

  const Session& session_;
  const SubmitOptions options_;
  std::mutex mutex_;  // guards everything below
  std::condition_variable changed_;
  std::deque<Work> to_send_;
  std::deque<Work> to_confirm_;
  bool is_read_ = false;
  std::uint64_t read_ = 0;    // events, so far
  std::uint64_t sent_ = 0;    // of these, those whose first round is over
  bool was_reached_ = false;  // some node has answered
  std::size_t in_hand_ = 0;   // batches that threads are working on
  Clock::time_point moved_;   // when something last became better
  std::string trouble_;       // the latest reason why something did not
  SubmitSummary summary_;
  bool is_stopped_ = false;
  CommandFailed failure_;
};

}  // namespace eventchain::tools
