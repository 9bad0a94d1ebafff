#include "net/http/loop.h"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <vector>

#include "net/http/connection.h"

namespace eventchain::net::http {

Loop::Loop(std::chrono::milliseconds tick, std::chrono::milliseconds patience)
    : tick_(std::min(tick, patience)),
      patience_(patience),
      guard_(context_.get_executor()),
      timer_(context_) {
  write_date();
}

void Loop::run() {
  arm();
  context_.run();
}

void Loop::stop() {
  post([this] {
    {
      const std::lock_guard lock(mutex_);
      is_stopped_ = true;
    }
    is_stopping_ = true;
    stops_at_ = now() + patience_;
    if (on_stop) on_stop();
    // A connection leaves the set when it is closed.
    const std::vector<std::shared_ptr<Connection>> open(connections_.begin(), connections_.end());
    for (const auto& connection : open) connection->finish();
    end_if_empty();
  });
}

void Loop::post(std::function<void()> work) {
  // The lock makes "stopped" final: nothing is queued behind the stop, where it would keep its
  // captures, and with them this loop, alive for ever.
  const std::lock_guard lock(mutex_);
  if (!is_stopped_) boost::asio::post(context_, std::move(work));
}

void Loop::dispatch(std::function<void()> work) {
  if (context_.get_executor().running_in_this_thread())
    work();
  else
    post(std::move(work));
}

void Loop::enter(const std::shared_ptr<Connection>& connection) {
  connections_.insert(connection);
}

void Loop::leave(Connection* connection) {
  connections_.erase(connection->shared_from_this());
  if (is_stopping_) end_if_empty();
}

void Loop::end_if_empty() {
  if (!connections_.empty()) return;
  timer_.cancel();
  guard_.reset();
}

void Loop::arm() {
  timer_.expires_after(tick_);
  timer_.async_wait([this](const boost::system::error_code& ec) {
    // The cancellation may come too late for a tick that is queued already.
    if (!ec && !(is_stopping_ && connections_.empty())) tick();
  });
}

void Loop::tick() {
  const SteadyTime time = now();
  if (time - dated_at_ >= std::chrono::milliseconds(500)) write_date();
  const std::vector<std::shared_ptr<Connection>> open(connections_.begin(), connections_.end());
  const bool is_over = is_stopping_ && time >= stops_at_;
  for (const auto& connection : open) {
    if (is_over) {
      connection->close();
    } else {
      connection->check_deadline(time);
    }
  }
  if (!is_over) arm();
}

void Loop::write_date() {
  const std::time_t wall = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  gmtime_r(&wall, &parts);
  // Not strftime: its names of days follow the locale.
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  date_ = fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday], parts.tm_mday,
                      kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                      parts.tm_sec);
  dated_at_ = now();
}

}  // namespace eventchain::net::http
