#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/unit/http/serving.h"

using namespace http_test;

TEST_CASE("a connection answers one request after another") {
  const auto server = serve(echo());
  RawClient client(server->port());
  for (int round = 0; round < 3; ++round) {
    client.send(kGet);
    const std::string answer = client.read_answer();
    CHECK(status_of(answer) == 200);
    CHECK(body_of(answer) == "GET /a []");
    CHECK(answer.find("Date: ") != std::string::npos);
  }
  client.send(post("Content-Length: 5\r\n", "hello"));
  CHECK(body_of(client.read_answer()) == "POST /p [hello]");
}

TEST_CASE("pipelined requests are answered in order") {
  const auto server = serve(echo());
  RawClient client(server->port());
  std::string all;
  for (int i = 0; i < 50; ++i)
    all += fmt::format("POST /{} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab", i);
  client.send(all);
  for (int i = 0; i < 50; ++i)
    CHECK(body_of(client.read_answer()) == fmt::format("POST /{} [ab]", i));
}

TEST_CASE("a request that arrives octet by octet is one request") {
  const auto server = serve(echo());
  RawClient client(server->port());
  for (char c : post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"))
    client.send({&c, 1});
  CHECK(body_of(client.read_answer()) == "POST /p [abcde]");
  client.send(kGet);
  CHECK(body_of(client.read_answer()) == "GET /a []");
}

TEST_CASE("trailers of a chunked body do not become headers") {
  const auto server = serve([](Request request, std::shared_ptr<Responder> responder) {
    Response response;
    response.body = std::string(request.header("ce-id"));
    responder->respond(std::move(response));
  });
  RawClient client(server->port());
  client.send(post("Transfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\nce-id: forged\r\n\r\n"));
  const std::string answer = client.read_answer();
  CHECK(status_of(answer) == 200);
  CHECK(body_of(answer).empty());
}

TEST_CASE("HEAD is GET without its body") {
  const auto server = serve(echo());
  RawClient client(server->port());
  client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = client.read_answer(true);
  CHECK(answer.find("Content-Length: 9\r\n") != std::string::npos);
  client.send(kGet);
  CHECK(body_of(client.read_answer()) == "GET /a []");
}

TEST_CASE("a client that asks before sending is told to continue") {
  const auto server = serve(echo());
  RawClient client(server->port());
  client.send(post("Content-Length: 3\r\nExpect: 100-continue\r\n", ""));
  REQUIRE(client.read_until("HTTP/1.1 100 Continue\r\n\r\n"));
  client.take();
  client.send("abc");
  CHECK(body_of(client.read_answer()) == "POST /p [abc]");
}

TEST_CASE("Connection: close and HTTP/1.0 end the connection after the answer") {
  const auto server = serve(echo());
  for (std::string_view request :
       {"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "GET /a HTTP/1.0\r\n\r\n"}) {
    RawClient client(server->port());
    client.send(request);
    const std::string answer = client.read_all();
    CHECK(body_of(answer) == "GET /a []");
    CHECK(answer.find("Connection: close") != std::string::npos);
  }
}

TEST_CASE("requests that two readers could read differently are refused and the connection ends") {
  struct Case {
    std::string request;
    int status;
  };
  const std::string chunk = "1\r\na\r\n0\r\n\r\n";
  const Case cases[] = {
      {post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", chunk), 400},
      {post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", chunk), 400},
      {post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"), 400},
      {post("Content-Length: -1\r\n", ""), 400},
      {post("Content-Length: 0x10\r\n", ""), 400},
      {post("Content-Length: 99999999999999999999999\r\n", ""), 400},
      {post("Transfer-Encoding: gzip, chunked\r\n", chunk), 501},
      {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunk), 400},
      {post("Transfer-Encoding: chunked\r\n", "zz\r\n"), 400},
      {post("Transfer-Encoding: chunked\r\n", "1\r\nabc\r\n0\r\n\r\n"), 400},
      {post("Expect: a miracle\r\nContent-Length: 1\r\n", "a"), 417},
      {"GET /a HTTP/1.1\r\n\r\n", 400},
      {"GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
      {"GET /a HTTP/3.7\r\nHost: x\r\n\r\n", 505},
      {"GET /a\r\n\r\n", 400},
      {"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 505},
      {"GET /a HTTP/1.1\r\nHost : x\r\n\r\n", 400},
      {"GET /a HTTP/1.1\nHost: x\n\n", 505},
      {"\x16\x03\x01\x02\x00 no TLS here\r\n\r\n", 400},
  };
  const auto server = serve(echo());
  for (const Case& one : cases) {
    CAPTURE(one.request);
    RawClient client(server->port());
    client.send(one.request + std::string(kGet));
    const std::string answer = client.read_all();
    CHECK(status_of(answer) == one.status);
    CHECK(answer.find("urn:eventchain:problem:") != std::string::npos);
    // Nothing behind the refused request was read as one.
    CHECK(answer.find("200 OK") == std::string::npos);
  }
}

TEST_CASE("several threads serve many clients") {
  ServerOptions options;
  options.threads = 3;
  std::atomic<int> observed{0};
  options.observer = [&](const Exchange& exchange) { observed += exchange.status == 200; };
  auto server = Server::start(options, echo());
  REQUIRE(server.has_value());
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(std::make_unique<RawClient>((*server)->port()));
  for (int round = 0; round < 5; ++round) {
    for (auto& client : clients) client->send(kGet);
    for (auto& client : clients) CHECK(body_of(client->read_answer()) == "GET /a []");
  }
  // A client may have its answer before the server has told of it.
  while (observed < 100) std::this_thread::yield();
  (*server)->stop();
  CHECK(observed == 100);
}

namespace {

// More than the system keeps for a client that does not read.
Handler large(std::size_t octets) {
  return [octets](Request, std::shared_ptr<Responder> responder) {
    Response response;
    response.body = std::string(octets, 'x');
    responder->respond(std::move(response));
  };
}

bool is_listening(std::uint16_t port) {
  try {
    const RawClient client(port);
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

}  // namespace

TEST_CASE("a server that stops sends the answers that were given before") {
  constexpr std::size_t kOctets = std::size_t{32} * 1024 * 1024;
  Limits limits;
  limits.linger = std::chrono::seconds(60);
  auto server = serve(large(kOctets), limits);
  RawClient reader(server->port());
  RawClient idle(server->port());
  reader.send(kGet);
  REQUIRE(reader.read_until("x"));
  std::thread stopping([&] { server->stop(); });
  // Once nobody is let in any more, it stops.
  while (is_listening(server->port())) std::this_thread::yield();
  CHECK(body_of(reader.read_all()).size() == kOctets);
  CHECK(idle.read_all().empty());
  reader.hang_up();
  stopping.join();
}

TEST_CASE("a client that does not read its answer does not keep a server from stopping") {
  Limits limits;
  limits.linger = std::chrono::milliseconds(50);
  auto server = serve(large(std::size_t{32} * 1024 * 1024), limits);
  RawClient client(server->port(), 4096);
  client.send(kGet);
  REQUIRE(client.read_until("x"));
  server->stop();
  CHECK(client.read_all().size() < std::size_t{32} * 1024 * 1024);
}

TEST_CASE("an answer may come from another thread and after the server has stopped") {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::shared_ptr<Responder>> waiting;
  auto server = serve([&](Request, std::shared_ptr<Responder> responder) {
    const std::lock_guard lock(mutex);
    waiting.push_back(std::move(responder));
    changed.notify_all();
  });
  RawClient client(server->port());
  client.send(kGet);
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return waiting.size() == 1; });
  waiting[0]->respond({});
  CHECK(status_of(client.read_answer()) == 200);
  client.send(kGet);
  changed.wait(lock, [&] { return waiting.size() == 2; });
  server->stop();
  waiting[1]->respond({});
  bool was_run = false;
  waiting[1]->post([&] { was_run = true; });
  CHECK_FALSE(was_run);
}

TEST_CASE("an address that cannot be listened on is an error with a remedy") {
  const auto server = serve(echo());
  ServerOptions options;
  options.port = server->port();
  const auto second = Server::start(options, echo());
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().message.find("choose another address or port") != std::string::npos);
  options.address = "not an address";
  CHECK_FALSE(Server::start(options, echo()).has_value());
}
