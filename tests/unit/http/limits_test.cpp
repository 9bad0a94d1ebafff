#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/unit/http/serving.h"

using namespace http_test;

namespace {

// The API refuses bodies over its limits by the same name.
void check_too_large(const std::string& answer) {
  CHECK(status_of(answer) == 413);
  CHECK(body_of(answer).find("\"urn:eventchain:problem:too-large\"") != std::string::npos);
}

}  // namespace

TEST_CASE("what is too large is refused before it is read") {
  Limits limits;
  limits.body_bytes_max = 1000;
  std::atomic<int> handled{0};
  const auto server = serve(
      [&](Request, std::shared_ptr<Responder> responder) {
        ++handled;
        responder->respond({});
      },
      limits);

  SUBCASE("a declared length") {
    RawClient client(server->port());
    client.send(post("Content-Length: 1001\r\n", ""));
    check_too_large(client.read_all());
  }
  SUBCASE("a declared length, although the client waits for a go-ahead") {
    RawClient client(server->port());
    client.send(post("Content-Length: 1001\r\nExpect: 100-continue\r\n", ""));
    check_too_large(client.read_all());
  }
  SUBCASE("one large chunk") {
    RawClient client(server->port());
    client.send(post("Transfer-Encoding: chunked\r\n", "fffffffffffffff\r\n"));
    check_too_large(client.read_all());
  }
  SUBCASE("many small chunks") {
    RawClient client(server->port());
    std::string body;
    for (int i = 0; i < 1001; ++i) body += "1\r\na\r\n";
    client.send(post("Transfer-Encoding: chunked\r\n", body));
    check_too_large(client.read_all());
  }
  SUBCASE("chunk extensions without end") {
    RawClient client(server->port());
    client.send(post("Transfer-Encoding: chunked\r\n", ""));
    const std::string chunk = "1;" + std::string(5000, 'x') + "\r\na\r\n";
    for (int i = 0; i < 20; ++i) client.send(chunk);
    check_too_large(client.read_all());
  }
  SUBCASE("one chunk extension that fills every buffer") {
    RawClient client(server->port());
    client.send(post("Transfer-Encoding: chunked\r\n", "1;" + std::string(100'000, 'x')));
    CHECK(status_of(client.read_all()) == 400);
  }
  SUBCASE("one long header field") {
    RawClient client(server->port());
    client.send("GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(9000, 'x') + "\r\n\r\n");
    CHECK(status_of(client.read_all()) == 431);
  }
  SUBCASE("many short header fields") {
    RawClient client(server->port());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < 2000 && client.send("A: bcd\r\n"); ++i) continue;
    CHECK(status_of(client.read_all()) == 431);
  }
  SUBCASE("a long target") {
    RawClient client(server->port());
    client.send("GET /" + std::string(9000, 'x') + " HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(status_of(client.read_all()) == 431);
  }
  CHECK(handled == 0);
}

TEST_CASE("a body of exactly the limit is taken") {
  Limits limits;
  limits.body_bytes_max = 100'000;
  const auto server = serve(echo(), limits);
  RawClient client(server->port());
  const std::string body(100'000, 'b');
  client.send(post("Content-Length: 100000\r\n", body));
  CHECK(body_of(client.read_answer()) == "POST /p [" + body + "]");
}

TEST_CASE("slow clients are cut off") {
  Limits limits;
  limits.header_deadline = std::chrono::milliseconds(50);
  limits.body_deadline = std::chrono::milliseconds(50);
  limits.idle_deadline = std::chrono::milliseconds(100);
  limits.linger = std::chrono::milliseconds(50);
  const auto server = serve(echo(), limits);
  RawClient client(server->port());
  SUBCASE("that say nothing") {
    CHECK(client.read_all().empty());
  }
  SUBCASE("that do not finish their header") {
    client.send("GET /a HTTP/1.1\r\nHost:");
    CHECK(status_of(client.read_all()) == 408);
  }
  SUBCASE("that drip a header so that the connection is never quiet") {
    // Each octet restarts an idle timer, but not the header's.
    client.send("GET /a HTTP/1.1\r\nHost: x\r\nA: ");
    while (client.send("a")) continue;
    CHECK(server->connections() <= 1);
  }
  SUBCASE("that do not finish their body") {
    client.send(post("Content-Length: 10\r\n", "abc"));
    CHECK(status_of(client.read_all()) == 408);
  }
  SUBCASE("that send most of their body at once and then nothing") {
    client.send(post("Content-Length: 1000000\r\n", std::string(999'999, 'a')));
    CHECK(status_of(client.read_all()) == 408);
  }
  SUBCASE("that are idle after an answer") {
    client.send(kGet);
    CHECK(body_of(client.read_answer()) == "GET /a []");
    CHECK(client.read_all().empty());
  }
}

TEST_CASE("a client that does not read its answer is cut off") {
  Limits limits;
  limits.body_deadline = std::chrono::milliseconds(100);
  // What the sockets' own buffers take is not progress enough.
  limits.octets_per_second_min = std::size_t{1} << 30;
  std::mutex mutex;
  std::condition_variable changed;
  bool is_handled = false;
  const auto server = serve(
      [&](Request, std::shared_ptr<Responder> responder) {
        Response response;
        response.body.assign(std::size_t{64} * 1024 * 1024, 'x');
        responder->respond(std::move(response));
        const std::lock_guard lock(mutex);
        is_handled = true;
        changed.notify_all();
      },
      limits);
  RawClient client(server->port());
  client.send(kGet);
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return is_handled; });
  }
  // The client reads only after the server let go of it, so the answer comes cut short.
  while (server->connections() > 0) std::this_thread::yield();
  CHECK(client.read_all().size() < std::size_t{64} * 1024 * 1024);
}

TEST_CASE("bodies in flight are bounded over all connections") {
  Limits limits;
  limits.bodies_in_flight_max = 1000;
  std::mutex mutex;
  std::vector<std::shared_ptr<Responder>> waiting;
  std::condition_variable changed;
  const auto server = serve(
      [&](Request, std::shared_ptr<Responder> responder) {
        const std::lock_guard lock(mutex);
        waiting.push_back(std::move(responder));
        changed.notify_all();
      },
      limits);
  RawClient first(server->port());
  first.send(post("Content-Length: 700\r\n", std::string(700, 'a')));
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return waiting.size() == 1; });
  }
  // What is only announced keeps nobody out; what has come counts.
  RawClient announcing(server->port());
  announcing.send(post("Content-Length: 400\r\n", ""));
  RawClient second(server->port());
  second.send(post("Content-Length: 400\r\n", std::string(400, 'a')));
  CHECK(status_of(second.read_all()) == 503);
  RawClient third(server->port());
  third.send(post("Transfer-Encoding: chunked\r\n", "190\r\n" + std::string(400, 'a')));
  CHECK(status_of(third.read_all()) == 503);

  waiting[0]->respond({});
  CHECK(status_of(first.read_answer()) == 200);
  first.send(post("Content-Length: 900\r\n", std::string(900, 'a')));
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return waiting.size() == 2; });
  waiting.clear();  // forgotten: the client still gets an answer
  lock.unlock();
  CHECK(status_of(first.read_answer()) == 500);
}

TEST_CASE("connections over the limit are closed and make room when they end") {
  Limits limits;
  SUBCASE("of the server") {
    limits.connections_max = 2;
  }
  SUBCASE("of one address") {
    limits.connections_per_address_max = 2;
  }
  const auto server = serve(echo(), limits);
  RawClient first(server->port());
  RawClient second(server->port());
  first.send(kGet);
  second.send(kGet);
  CHECK(status_of(first.read_answer()) == 200);
  CHECK(status_of(second.read_answer()) == 200);
  RawClient third(server->port());
  third.send(kGet);
  CHECK(third.read_all().empty());
  second.hang_up();
  while (server->connections() > 1) std::this_thread::yield();
  RawClient fourth(server->port());
  fourth.send(kGet);
  CHECK(status_of(fourth.read_answer()) == 200);
}
