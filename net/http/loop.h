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
  explicit Loop(std::chrono::milliseconds tick);

  void run();   // until stop(), then until every operation has ended
  void stop();  // any thread
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
  void write_date();

  // constant after construction
  const std::chrono::milliseconds tick_;
  // owned by the loop's thread
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  boost::asio::steady_timer timer_;
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  std::string date_;
  SteadyTime dated_at_;
  bool is_stopping_ = false;
  // guarded by mutex_
  std::mutex mutex_;
  bool is_stopped_ = false;
};

}  // namespace eventchain::net::http
