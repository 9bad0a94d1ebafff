#include <doctest/doctest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <optional>
#include <string>

#include "net/http/server.h"

using namespace eventchain::net::http;
namespace asio = boost::asio;

namespace {

std::string data_file(const std::string& name) {
  return std::string(EVENTCHAIN_TEST_DATA) + "/http/" + name;
}

std::unique_ptr<Server> serve(const std::string& client_ca, Limits limits = {}) {
  ServerOptions options;
  options.limits = limits;
  options.tls = TlsOptions{data_file("server.pem"), data_file("server.key"), client_ca};
  auto server = Server::start(options, [](Request request, std::shared_ptr<Responder> responder) {
    Response response;
    response.body =
        "principal=" + request.principal + " size=" + std::to_string(request.body.size());
    responder->respond(std::move(response));
  });
  REQUIRE_MESSAGE(server.has_value(), server.error().message);
  return std::move(*server);
}

// What comes back for one request over TLS; nullopt when the connection fails.
std::optional<std::string> ask(std::uint16_t port, const std::string& identity,
                               const std::string& body = {}, int version_max = 0) {
  asio::io_context context;
  asio::ssl::context tls(asio::ssl::context::tls_client);
  tls.load_verify_file(data_file("ca.pem"));
  tls.set_verify_mode(asio::ssl::verify_peer);
  if (version_max != 0) SSL_CTX_set_max_proto_version(tls.native_handle(), version_max);
  if (!identity.empty()) {
    tls.use_certificate_chain_file(data_file(identity + ".pem"));
    tls.use_private_key_file(data_file(identity + ".key"), asio::ssl::context::pem);
  }
  asio::ssl::stream<asio::ip::tcp::socket> stream(context, tls);
  boost::system::error_code ec;
  stream.next_layer().connect({asio::ip::address_v4::loopback(), port}, ec);
  if (!ec) stream.handshake(asio::ssl::stream_base::client, ec);
  const std::string request =
      "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  if (!ec) asio::write(stream, asio::buffer(request), ec);
  if (ec) return std::nullopt;
  std::string answer;
  asio::read(stream, asio::dynamic_buffer(answer), ec);
  if (answer.empty()) return std::nullopt;
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

}  // namespace

TEST_CASE("TLS carries large requests and names no one without a client certificate") {
  const auto server = serve("");
  CHECK(ask(server->port(), "", std::string(200'000, 'x')) == "principal= size=200000");
}

TEST_CASE("the principal is the certificate's URI, else its common name") {
  const auto server = serve(data_file("ca.pem"));
  CHECK(ask(server->port(), "writer") == "principal=spiffe://test/eventchain/client/writer size=0");
  CHECK(ask(server->port(), "plain") == "principal=only a name size=0");
}

TEST_CASE("a client without a certificate is turned away where one is required") {
  const auto server = serve(data_file("ca.pem"));
  CHECK_FALSE(ask(server->port(), "").has_value());
}

TEST_CASE("TLS 1.2 is not spoken") {
  const auto server = serve("");
  CHECK_FALSE(ask(server->port(), "", {}, TLS1_2_VERSION).has_value());
}

TEST_CASE("a principal with too many connections is told so") {
  Limits limits;
  limits.connections_per_principal_max = 0;
  const auto server = serve(data_file("ca.pem"), limits);
  const auto answer = ask(server->port(), "writer");
  REQUIRE(answer.has_value());
  CHECK(answer->find("too-many-connections") != std::string::npos);
}

TEST_CASE("unusable TLS files are an error that names the file") {
  ServerOptions options;
  options.tls = TlsOptions{data_file("server.pem"), data_file("writer.key"), ""};
  const auto wrong_key = Server::start(options, {});
  REQUIRE_FALSE(wrong_key.has_value());
  CHECK(wrong_key.error().message.find("writer.key") != std::string::npos);
  options.tls = TlsOptions{data_file("missing.pem"), data_file("server.key"), ""};
  CHECK_FALSE(Server::start(options, {}).has_value());
}
