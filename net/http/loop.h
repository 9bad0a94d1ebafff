#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

namespace eventchain::net::http {

class Connection;
using SteadyTime = std::chrono::steady_clock::time_point;

// One thread's share of the server: its io_context, its connections and one timer for all their
// deadlines. A connection lives on one loop for ever, so that connections need no locks. Shared by
// the server and the connections; everything but post() belongs to the loop's thread.
class Loop : public std::enable_shared_from_this<Loop> {
 public:
  // `patience`: for how long answers that are being sent may hold up the end.
  Loop(std::chrono::milliseconds tick, std::chrono::milliseconds patience);

  void run();  // until stop(), then until every operation has ended
  // Any thread. What was posted before is done first; then connections are closed, those that are
  // sending an answer when it is sent.
  void stop();
  // Any thread; `work` is dropped once the loop has stopped.
  void post(std::function<void()> work);
  // Runs at once when called on the loop's own thread.
  void dispatch(std::function<void()> work);

  boost::asio::io_context& context() { return context_; }
  void enter(const std::shared_ptr<Connection>& connection);
  void leave(Connection* connection);
  // HTTP's spelling of the time, as of the last second.
  [[nodiscard]] const std::string& date() const { return date_; }
  [[nodiscard]] static SteadyTime now() { return std::chrono::steady_clock::now(); }
  // Called when the loop stops, before its connections are closed.
  std::function<void()> on_stop;

 private:
  void arm();
  void tick();
  void end_if_empty();
  void write_date();

  // constant after construction
  const std::chrono::milliseconds tick_;
  const std::chrono::milliseconds patience_;
  // owned by the loop's thread
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  boost::asio::steady_timer timer_;
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  std::string date_;
  SteadyTime dated_at_;
  bool is_stopping_ = false;
  SteadyTime stops_at_;  // at the latest, once it is stopping
  // guarded by mutex_
  std::mutex mutex_;
  bool is_stopped_ = false;
};

}  // namespace eventchain::net::http
