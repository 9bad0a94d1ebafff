#include "node/api/follower.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "node/api/placed_json.h"

namespace eventchain::node::api {

namespace {

// Read at once: enough to keep up, little enough to hold up the thread only briefly.
constexpr std::size_t kSlice = 16;
// Offered to the connection at once, besides the event that exceeds it: events may be a megabyte
// each, and there may be hundreds of readers.
constexpr std::size_t kPieceMax = std::size_t{64} * 1024;

// One live reader of the log. Runs on its connection's thread; a commit only posts a pump there. A
// slow client makes send() refuse: then nothing is kept or read until there is room, and the store
// is the buffer. Owned by the stream's callbacks and the subscription; both let go when the stream
// ends.
class LogFollower : public std::enable_shared_from_this<LogFollower> {
 public:
  LogFollower(CallPtr call, std::uint64_t from) : call_(std::move(call)), next_(from) {}
  ~LogFollower() { stop(); }
  LogFollower(const LogFollower&) = delete;
  LogFollower& operator=(const LogFollower&) = delete;

  void start() {
    net::http::StreamHead head;
    head.content_type = "text/event-stream";
    head.headers.push_back({"Cache-Control", "no-store"});
    for (auto& header : call_->standing()) head.headers.push_back(std::move(header));
    head.keep_alive = ": the connection is alive\n\n";
    head.label = call_->label;
    head.on_room = [self = shared_from_this()] {
      self->is_waiting_ = false;
      self->pump();
    };
    head.on_closed = [self = shared_from_this()] { self->stop(); };
    // First, so that no commit falls between the last read and the subscription.
    subscription_ = call_->context->port.subscribe(
        [weak = weak_from_this(), responder = call_->responder](const TipMoved&) {
          responder->post([weak] {
            if (const auto self = weak.lock()) self->pump();
          });
        });
    call_->responder->start_stream(std::move(head));
    pump();
  }

 private:
  void stop() {
    if (std::exchange(is_stopped_, true)) return;
    call_->context->port.unsubscribe(subscription_);
  }

  void pump() {
    while (!is_stopped_ && !is_waiting_) {
      const auto events = call_->context->reader.log(chain::Position{next_}, slice_);
      if (!events) return fail(events.error());
      std::string piece;
      std::uint64_t next = next_;
      for (const store::PlacedEvent& placed : *events) {
        JsonText text;
        if (const auto appended = append_placed(text, placed); !appended)
          return fail(appended.error());
        piece += fmt::format("id: {}\nevent: event\ndata: {}\n\n", placed.position.value,
                             one_line(text.take()));
        next = placed.position.value + 1;
        if (piece.size() >= kPieceMax) break;
      }
      // What was read beyond it is read again: of large events, one at a time.
      slice_ = piece.size() >= kPieceMax ? 1 : std::min(2 * slice_, kSlice);
      if (piece.empty()) return;  // the next commit calls again
      if (call_->responder->send(piece))
        next_ = next;
      else
        is_waiting_ = true;  // on_room comes, or on_closed
    }
  }

  // Data of an event may hold line breaks between its tokens (never inside of strings); in an event
  // stream each line carries its own field name.
  static std::string one_line(std::string json) {
    if (json.find_first_of("\r\n") == std::string::npos) return json;
    std::string lines;
    for (std::size_t at = 0; at < json.size(); ++at) {
      if (json[at] == '\r' && at + 1 < json.size() && json[at + 1] == '\n') continue;
      if (json[at] == '\n' || json[at] == '\r')
        lines += "\ndata: ";
      else
        lines += json[at];
    }
    return lines;
  }

  void fail(const chain::Error& error) {
    JsonText text;
    text.open_object().text("detail", error.message).close_object();
    call_->responder->send(fmt::format("event: problem\ndata: {}\n\n", text.take()));
    call_->responder->close();
  }

  const CallPtr call_;
  // owned by the connection's thread
  std::uint64_t next_;
  std::size_t slice_ = kSlice;
  std::uint64_t subscription_ = 0;
  bool is_waiting_ = false;  // for room on the connection
  bool is_stopped_ = false;
};

}  // namespace

void follow_log(const CallPtr& call, std::uint64_t from) {
  std::make_shared<LogFollower>(call, from)->start();
}

}  // namespace eventchain::node::api
