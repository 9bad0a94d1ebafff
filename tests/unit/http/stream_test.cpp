#include <doctest/doctest.h>
#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "net/http/server.h"
#include "tests/unit/http/client.h"
#include "tests/unit/http/happening.h"

using namespace eventchain::net::http;

namespace {

constexpr std::string_view kGet = "GET /live HTTP/1.1\r\nHost: x\r\n\r\n";

// A server whose handler starts a stream and hands its responder to the test.
class StreamServer {
 public:
  explicit StreamServer(Limits limits = {}, std::string keep_alive = {}) {
    ServerOptions options;
    options.limits = limits;
    auto server =
        Server::start(options, [this, keep_alive](Request, std::shared_ptr<Responder> responder) {
          StreamHead head;
          head.content_type = "text/event-stream";
          head.keep_alive = keep_alive;
          head.on_room = [this] { room_.happen(); };
          head.on_closed = [this] { closed_.happen(); };
          responder->start_stream(std::move(head));
          const std::lock_guard lock(mutex_);
          responder_ = std::move(responder);
          changed_.notify_all();
        });
    REQUIRE(server.has_value());
    server_ = std::move(*server);
  }
  ~StreamServer() { server_->stop(); }

  std::shared_ptr<Responder> stream() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return responder_ != nullptr; });
    return std::move(responder_);
  }
  void await_room() { room_.await(); }
  void await_closed() { closed_.await(); }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<Responder> responder_;
  Happening room_;
  Happening closed_;
  std::unique_ptr<Server> server_;
};

}  // namespace

TEST_CASE("a stream is sent in chunks and the connection lives on after it") {
  StreamServer server;
  RawClient client(server.port());
  client.send(kGet);
  const auto stream = server.stream();
  CHECK(stream->is_open());
  CHECK(stream->send("data: 1\n\n"));
  CHECK(client.read_until("9\r\ndata: 1\n\n\r\n"));
  CHECK(stream->send("data: 2\n\n"));
  CHECK(client.read_until("data: 2"));
  stream->close();
  CHECK_FALSE(stream->is_open());
  CHECK_FALSE(stream->send("more"));
  CHECK(client.read_until("0\r\n\r\n"));
  server.await_closed();
  client.take();
  client.send(kGet);
  server.stream()->close();
  CHECK(client.read_until("0\r\n\r\n"));
}

TEST_CASE("a request sent during a stream is answered after it") {
  StreamServer server;
  RawClient client(server.port());
  client.send(kGet);
  const auto stream = server.stream();
  CHECK(stream->send("first"));
  CHECK(client.read_until("first"));
  client.send(kGet);
  stream->close();
  const auto next = server.stream();
  CHECK(next->send("second"));
  CHECK(client.read_until("second"));
}

TEST_CASE("a stream's producer learns that its client hung up") {
  StreamServer server;
  RawClient client(server.port());
  client.send(kGet);
  const auto stream = server.stream();
  CHECK(client.read_until("\r\n\r\n"));
  client.hang_up();
  server.await_closed();
  CHECK_FALSE(stream->is_open());
  CHECK_FALSE(stream->send("too late"));
}

TEST_CASE("a stream's unsent octets are bounded and its producer is told when there is room") {
  Limits limits;
  limits.stream_buffer_max = 64 * 1024;
  StreamServer server(limits);
  RawClient client(server.port());
  client.send(kGet);
  const auto stream = server.stream();
  const std::string piece(16 * 1024, '~');
  std::size_t taken = 0;
  // The sockets' own buffers take some megabytes before ours fills.
  while (stream->send(piece)) ++taken;
  CHECK(stream->is_open());
  CHECK(taken < 10'000);
  std::size_t seen = 0;
  std::thread reader([&] {
    client.read_until("the end");
    for (char c : client.received()) seen += c == '~';
  });
  server.await_room();
  while (!stream->send("the end")) std::this_thread::yield();
  reader.join();
  CHECK(seen == taken * piece.size());
}

TEST_CASE("a reader that stops reading loses its stream") {
  Limits limits;
  limits.stream_buffer_max = 64 * 1024;
  limits.body_deadline = std::chrono::milliseconds(100);
  StreamServer server(limits);
  RawClient client(server.port());
  client.send(kGet);
  const auto stream = server.stream();
  const std::string piece(16 * 1024, 'x');
  while (stream->is_open()) stream->send(piece);
  server.await_closed();
}

TEST_CASE("a quiet stream is kept alive") {
  Limits limits;
  limits.stream_keep_alive = std::chrono::milliseconds(20);
  StreamServer server(limits, ":\n\n");
  RawClient client(server.port());
  client.send(kGet);
  const auto stream = server.stream();
  CHECK(client.read_until(":\n\n\r\n3\r\n:\n\n"));
  CHECK(stream->send("data"));
  CHECK(client.read_until("4\r\ndata\r\n"));
}

TEST_CASE("HTTP/1.0 gets a stream without chunks that ends with the connection") {
  StreamServer server;
  RawClient client(server.port());
  client.send("GET /live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const auto stream = server.stream();
  CHECK(stream->send("data"));
  stream->close();
  const std::string answer = client.read_all();
  CHECK(body_of(answer) == "data");
  CHECK(answer.find("chunked") == std::string::npos);
}

TEST_CASE("HEAD of a stream is its head") {
  StreamServer server;
  RawClient client(server.port());
  client.send("HEAD /live HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto stream = server.stream();
  CHECK(client.read_until("\r\n\r\n"));
  server.await_closed();
  CHECK(body_of(client.received()).empty());
}

TEST_CASE("a stream that everyone forgot ends") {
  StreamServer server;
  RawClient client(server.port());
  client.send(kGet);
  server.stream()->send("last words");
  CHECK(client.read_until("last words\r\n0\r\n\r\n"));
}
