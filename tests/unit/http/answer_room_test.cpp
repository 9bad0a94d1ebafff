#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/unit/http/happening.h"
#include "tests/unit/http/serving.h"

using namespace http_test;

namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;
constexpr int kSmallWindow = 64 * 1024;

// "/long" is answered with 8 MiB, which no socket's buffers take, "/stream" with a stream that the
// test feeds, else a few octets.
class AnswerServer {
 public:
  explicit AnswerServer(Limits limits)
      : server_(serve([this](Request request,
                             std::shared_ptr<Responder> responder) { handle(request, responder); },
                      limits)) {}
  ~AnswerServer() { server_->stop(); }

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] std::size_t connections() const { return server_->connections(); }
  void await_room() { room_.await(); }
  void await_closed() { closed_.await(); }
  // Of the newest request for a stream.
  std::shared_ptr<Responder> stream() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stream_ != nullptr; });
    return std::move(stream_);
  }

 private:
  void handle(const Request& request, const std::shared_ptr<Responder>& responder) {
    if (request.target == "/stream") {
      StreamHead head;
      head.content_type = "text/event-stream";
      head.on_room = [this] { room_.happen(); };
      head.on_closed = [this] { closed_.happen(); };
      responder->start_stream(std::move(head));
      const std::lock_guard lock(mutex_);
      stream_ = responder;
      changed_.notify_all();
      return;
    }
    Response response;
    response.body = request.target == "/long" ? std::string(8 * kMebibyte, 'x') : "short";
    responder->respond(std::move(response));
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  std::shared_ptr<Responder> stream_;
  Happening room_;
  Happening closed_;
  std::unique_ptr<Server> server_;
};

constexpr std::string_view kGetLong = "GET /long HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kGetStream = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";

// From then on its long answer waits in the server.
void ask_without_reading_on(RawClient& client) {
  client.send(kGetLong);
  REQUIRE(client.read_until("\r\n\r\n"));
}

// A server with room for one long answer, which a slow reader keeps waiting.
struct Crowded {
  explicit Crowded(std::chrono::milliseconds linger = Limits{}.linger)
      : server(limits_with(linger)), slow(server.port(), kSmallWindow) {
    ask_without_reading_on(slow);
  }
  void slow_leaves() {
    slow.hang_up();
    while (server.connections() > 1) std::this_thread::yield();
  }

  AnswerServer server;
  RawClient slow;

 private:
  static Limits limits_with(std::chrono::milliseconds linger) {
    Limits limits;
    limits.answers_in_flight_max = 9 * kMebibyte;
    limits.linger = linger;
    return limits;
  }
};

}  // namespace

TEST_CASE("answers that wait for slow readers are bounded over all connections") {
  Crowded crowded;
  AnswerServer& server = crowded.server;
  RawClient other(server.port());
  other.send(kGetLong);
  const std::string refused = other.read_answer();
  CHECK(status_of(refused) == 503);
  CHECK(refused.find("application/problem+json") != std::string::npos);
  CHECK(body_of(refused).find("urn:eventchain:problem:overloaded") != std::string::npos);
  // What is short passes on the same connection, and all of it again when the reader has gone.
  other.send(kGet);
  CHECK(body_of(other.read_answer()) == "short");
  crowded.slow_leaves();
  for (int again = 0; again < 2; ++again) {
    other.send(kGetLong);
    CHECK(status_of(other.read_answer()) == 200);
  }
}

TEST_CASE("a stream's piece waits while slow readers take the room, and its producer is told") {
  Crowded crowded;
  AnswerServer& server = crowded.server;
  RawClient reader(server.port());
  reader.send(kGetStream);
  const auto stream = server.stream();
  const std::string piece(4 * kMebibyte, 'p');
  CHECK_FALSE(stream->send(piece));
  CHECK(stream->is_open());
  CHECK(stream->send("small"));
  CHECK(reader.read_until("small"));
  crowded.slow_leaves();
  CHECK(stream->send(piece));
}

TEST_CASE("a producer that was told no because of others is asked again") {
  Crowded crowded(std::chrono::milliseconds(20));  // how often the server looks
  AnswerServer& server = crowded.server;
  RawClient reader(server.port());
  reader.send(kGetStream);
  const auto stream = server.stream();
  CHECK_FALSE(stream->send(std::string(4 * kMebibyte, 'p')));
  server.await_room();
}

TEST_CASE("what waits in streams leaves no room for answers") {
  Limits limits;
  limits.answers_in_flight_max = 9 * kMebibyte;
  limits.stream_buffer_max = 100 * kMebibyte;
  AnswerServer server(limits);
  RawClient slow(server.port(), kSmallWindow);
  slow.send(kGetStream);
  const auto unread = server.stream();
  // More than the sockets take, so it is being written from now on, and what follows waits behind.
  CHECK(unread->send(std::string(6 * kMebibyte, 'p')));
  CHECK(slow.read_until("p"));
  const std::string piece(kMebibyte, 'p');
  CHECK(unread->send(piece));
  CHECK(unread->send(piece));
  CHECK_FALSE(unread->send(piece));
  RawClient other(server.port());
  other.send(kGetLong);
  CHECK(status_of(other.read_answer()) == 503);
  slow.hang_up();
  server.await_closed();
  other.send(kGetLong);
  CHECK(status_of(other.read_answer()) == 200);
}

TEST_CASE("a new stream is refused while answers take all the room") {
  Limits limits;
  limits.answers_in_flight_max = 1;
  limits.short_answer_max = 9 * kMebibyte;
  AnswerServer server(limits);
  RawClient slow(server.port(), kSmallWindow);
  ask_without_reading_on(slow);
  RawClient other(server.port());
  other.send(kGetStream);
  const std::string refused = other.read_answer();
  REQUIRE(status_of(refused) == 503);
  CHECK(body_of(refused).find("urn:eventchain:problem:overloaded") != std::string::npos);
  server.await_closed();
}
