#include <doctest/doctest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <unistd.h>

#include <filesystem>
#include <memory>
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

// The subject of the certificate that the server shows; empty if there is no handshake.
std::string name_shown(std::uint16_t port) {
  asio::io_context context;
  asio::ssl::context tls(asio::ssl::context::tls_client);
  asio::ssl::stream<asio::ip::tcp::socket> stream(context, tls);
  boost::system::error_code ec;
  stream.next_layer().connect({asio::ip::address_v4::loopback(), port}, ec);
  if (!ec) stream.handshake(asio::ssl::stream_base::client, ec);
  if (ec) return {};
  char name[256] = {};
  X509_NAME_get_text_by_NID(
      X509_get_subject_name(SSL_get0_peer_certificate(stream.native_handle())), NID_commonName,
      name, sizeof(name));
  return name;
}

// Files of a server that change while it runs.
class ChangingFiles {
 public:
  ChangingFiles() { take("server"); }
  ~ChangingFiles() { std::filesystem::remove_all(directory_); }
  ChangingFiles(const ChangingFiles&) = delete;
  ChangingFiles& operator=(const ChangingFiles&) = delete;

  void take(const std::string& identity) const {
    for (const std::string ending : {".pem", ".key"})
      std::filesystem::copy_file(data_file(identity + ending), directory_ / ("own" + ending),
                                 std::filesystem::copy_options::overwrite_existing);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }

 private:
  const std::filesystem::path directory_ = [] {
    std::string name = std::filesystem::temp_directory_path() / "eventchain-tls-XXXXXX";
    REQUIRE(mkdtemp(name.data()) != nullptr);
    return std::filesystem::path(name);
  }();
};

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

TEST_CASE("files that are read again serve new connections, and what was there goes on") {
  const ChangingFiles files;
  ServerOptions options;
  options.tls = TlsOptions{files.path("own.pem"), files.path("own.key"), ""};
  const auto server = Server::start(
      options, [](const Request&, std::shared_ptr<Responder> to) { to->respond(Response{}); });
  REQUIRE(server.has_value());
  const std::uint16_t port = (*server)->port();
  REQUIRE(name_shown(port) == "localhost");

  asio::io_context context;
  asio::ssl::context tls(asio::ssl::context::tls_client);
  asio::ssl::stream<asio::ip::tcp::socket> before(context, tls);
  before.next_layer().connect({asio::ip::address_v4::loopback(), port});
  before.handshake(asio::ssl::stream_base::client);

  files.take("plain");
  CHECK(name_shown(port) == "localhost");  // not before it is told to
  REQUIRE((*server)->reload_tls().has_value());
  CHECK(name_shown(port) == "only a name");

  asio::write(before, asio::buffer(std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
  std::string answer(12, '\0');
  asio::read(before, asio::buffer(answer));
  CHECK(answer == "HTTP/1.1 200");
}

TEST_CASE("files that cannot be used leave those from before in use") {
  const ChangingFiles files;
  ServerOptions options;
  options.tls = TlsOptions{files.path("own.pem"), files.path("own.key"), ""};
  const auto server = Server::start(
      options, [](const Request&, std::shared_ptr<Responder> to) { to->respond(Response{}); });
  REQUIRE(server.has_value());

  std::filesystem::copy_file(data_file("writer.key"), files.path("own.key"),
                             std::filesystem::copy_options::overwrite_existing);
  const auto half_changed = (*server)->reload_tls();
  REQUIRE_FALSE(half_changed.has_value());
  CHECK(half_changed.error().message.find("own.key") != std::string::npos);
  CHECK(name_shown((*server)->port()) == "localhost");

  std::filesystem::remove(files.path("own.pem"));
  CHECK_FALSE((*server)->reload_tls().has_value());
  CHECK(name_shown((*server)->port()) == "localhost");
}
