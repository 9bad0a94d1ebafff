#include "net/http/client.h"

#include <doctest/doctest.h>

#include <thread>

#include "tests/unit/http/endless_server.h"
#include "tests/unit/http/serving.h"

using namespace eventchain;
using namespace http_test;

namespace {

std::unique_ptr<Client> client_of(std::uint16_t port, ClientOptions options = {}) {
  const auto url = parse_url(fmt::format("http://127.0.0.1:{}/witness/", port));
  REQUIRE(url.has_value());
  options.url = *url;
  auto client = Client::make(options);
  REQUIRE(client.has_value());
  return std::move(*client);
}

std::string data_file(const std::string& name) {
  return std::string(EVENTCHAIN_TEST_DATA) + "/http/" + name;
}

std::unique_ptr<Server> serve_tls(const std::string& address) {
  ServerOptions options;
  options.address = address;
  options.tls = TlsOptions{data_file("server.pem"), data_file("server.key"), ""};
  auto server = Server::start(std::move(options), echo());
  REQUIRE(server.has_value());
  return std::move(*server);
}

chain::Result<ClientAnswer> ask_tls(const std::string& host, std::uint16_t port,
                                    const std::string& ca) {
  ClientOptions options;
  options.url = *parse_url(fmt::format("https://{}:{}", host, port));
  options.ca_file = ca;
  const auto client = Client::make(options);
  REQUIRE_MESSAGE(client.has_value(), client.error().message);
  return (*client)->post("/p", "text/plain", "b");
}

std::string error_of(const chain::Result<ClientAnswer>& answer) {
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == chain::ErrorCode::kUnavailable);
  return answer.error().message;
}

}  // namespace

TEST_CASE("a URL has a host, and what it leaves out has its usual value") {
  CHECK(parse_url("http://a.example") == Url{false, "a.example", "80", ""});
  CHECK(parse_url("https://a.example/") == Url{true, "a.example", "443", ""});
  CHECK(parse_url("https://a.example:8443/w/one/") == Url{true, "a.example", "8443", "/w/one"});
  CHECK(parse_url("http://[::1]:80/x") == Url{false, "::1", "80", "/x"});
  for (const char* text :
       {"", "a.example", "ftp://a", "http://", "http://:80", "http://a:", "http://a:x",
        "http://[::1", "http://[::1]x:80", "http://a b", "http://a\r\nX: y", "http://a/?q",
        "http://u@a", "http://a:123456", "http://a/#f"})
    CHECK_FALSE(parse_url(text).has_value());
}

TEST_CASE("a request arrives as it is, and its answer comes back") {
  const auto server = serve(echo());
  const auto client = client_of(server->port());
  for (int i = 0; i < 3; ++i) {
    const auto answer = client->post("/add-checkpoint", "text/plain", "old 0\n\nnote\n");
    REQUIRE_MESSAGE(answer.has_value(), answer.error().message);
    CHECK(answer->status == 200);
    CHECK(answer->content_type == "text/plain");
    CHECK(answer->body == "POST /witness/add-checkpoint [old 0\n\nnote\n]");
  }
}

TEST_CASE("answers in pieces are read to their end, and one that is too large is none") {
  const Handler pieces = [](Request, std::shared_ptr<Responder> responder) {
    StreamHead head;
    head.content_type = "text/plain";
    responder->start_stream(std::move(head));
    for (int i = 0; i < 100; ++i) responder->send(std::string(100, 'a'));
    responder->close();
  };
  const auto server = serve(pieces);
  const auto answer = client_of(server->port())->post("/", "text/plain", "");
  REQUIRE_MESSAGE(answer.has_value(), answer.error().message);
  CHECK(answer->body == std::string(10'000, 'a'));
  ClientOptions small;
  small.answer_bytes_max = 9'999;
  CHECK(error_of(client_of(server->port(), small)->post("/", "text/plain", "")).find("127.0.0.1") !=
        std::string::npos);
}

TEST_CASE("an answer that never ends is given up for its octets, wherever it has them") {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string filling(1024, 'x');
  const auto outcome = [](const std::string& beginning, const std::string& piece) {
    EndlessServer server(beginning, piece);
    ClientOptions patient;
    patient.timeout = std::chrono::hours(1);
    return error_of(client_of(server.port(), patient)->post("/", "text/plain", ""));
  };
  for (const std::string& message :
       {outcome(chunked + "1;", filling), outcome(chunked + "1;a=\"", filling),
        outcome(chunked + "1\r\na\r\n0;", filling), outcome(chunked, "1;" + filling + "\r\na\r\n"),
        outcome(chunked + "0\r\n", "A: " + filling + "\r\n"),
        outcome(chunked + "0\r\nA: ", filling)}) {
    INFO(message);
    CHECK(message.find("more octets than") != std::string::npos);
  }
  // These the parser itself bounds.
  CHECK(outcome(head, "A: " + filling + "\r\n").find("header") != std::string::npos);
  CHECK(outcome(head + "A: ", filling).find("header") != std::string::npos);
  CHECK(outcome(head + "\r\n", filling).find("body") != std::string::npos);
}

TEST_CASE("nobody there, and somebody who says nothing") {
  std::uint16_t port = 0;
  {
    const auto server = serve(echo());
    port = server->port();
  }
  CHECK(error_of(client_of(port)->post("/", "text/plain", "")).find("refused") !=
        std::string::npos);
  std::vector<std::shared_ptr<Responder>> kept;
  const auto silent =
      serve([&](Request, std::shared_ptr<Responder> responder) { kept.push_back(responder); });
  ClientOptions hasty;
  hasty.timeout = std::chrono::milliseconds(50);
  CHECK(error_of(client_of(silent->port(), hasty)->post("/", "text/plain", ""))
            .find("no answer in time") != std::string::npos);
}

TEST_CASE("cancelling ends what waits, and what comes later") {
  std::shared_ptr<Responder> kept;
  std::shared_ptr<Client> client;
  const auto silent = serve([&](Request, std::shared_ptr<Responder> responder) {
    kept = std::move(responder);
    client->cancel();
  });
  ClientOptions patient;
  patient.timeout = std::chrono::hours(1);
  client = client_of(silent->port(), patient);
  CHECK(error_of(client->post("/", "text/plain", "")).find("cancelled") != std::string::npos);
  CHECK(error_of(client->post("/", "text/plain", "")).find("cancelled") != std::string::npos);
  silent->stop();
}

TEST_CASE("a server must show a certificate of the authority, for the host that was asked for") {
  const auto server = serve_tls("127.0.0.1");
  const auto answer = ask_tls("127.0.0.1", server->port(), data_file("ca.pem"));
  REQUIRE_MESSAGE(answer.has_value(), answer.error().message);
  CHECK(answer->body == "POST /p [b]");
  // The system's authorities do not know it.
  CHECK(error_of(ask_tls("127.0.0.1", server->port(), "")).find("certificate verify failed") !=
        std::string::npos);
  // An address that its certificate does not name.
  const auto elsewhere = serve_tls("127.0.0.2");
  CHECK(error_of(ask_tls("127.0.0.2", elsewhere->port(), data_file("ca.pem")))
            .find("certificate verify failed") != std::string::npos);
  ClientOptions missing;
  missing.url = *parse_url("https://localhost");
  missing.ca_file = data_file("missing.pem");
  CHECK_FALSE(Client::make(missing).has_value());
}
