#include "tools/eventchain/http_client.h"

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>

#include <fmt/format.h>

#include "tools/eventchain/peer_identity.h"

namespace eventchain::tools {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

constexpr std::uint64_t kResponseBytesMax = std::uint64_t{256} * 1024 * 1024;
constexpr std::uint32_t kHeaderBytesMax = 64 * 1024;

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
  Endpoint endpoint;
  endpoint.text = std::string(text);
  const auto refuse = [&] {
    return fail(ErrorCode::kInvalid,
                fmt::format("'{}' is no endpoint; give http://HOST:PORT or https://HOST:PORT",
                            endpoint.text));
  };
  if (text.starts_with("https://"))
    endpoint.tls = true;
  else if (!text.starts_with("http://"))
    return refuse();
  text.remove_prefix(endpoint.tls ? 8 : 7);
  if (text.ends_with('/')) text.remove_suffix(1);
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == std::string_view::npos) return refuse();
  const std::size_t colon = text.find(':', bracket);
  endpoint.host = std::string(text.substr(0, colon));
  endpoint.port = colon == std::string_view::npos ? (endpoint.tls ? "443" : "80")
                                                  : std::string(text.substr(colon + 1));
  if (bracket != 0) endpoint.host = endpoint.host.substr(1, bracket - 1);
  const bool digits = std::all_of(endpoint.port.begin(), endpoint.port.end(),
                                  [](char c) { return c >= '0' && c <= '9'; });
  if (endpoint.host.empty() || endpoint.port.empty() || !digits ||
      endpoint.host.find('/') != std::string::npos)
    return refuse();
  return endpoint;
}

class TlsContext {
 public:
  TlsContext() : context(asio::ssl::context::tls_client) {}
  // Asio wants a mutable context to make streams from; OpenSSL's own is thread-safe for that.
  mutable asio::ssl::context context;
  std::string own_identity;  // "" without a client certificate
};

Result<std::shared_ptr<const TlsContext>> make_tls_context(const TlsFiles& files) {
  auto made = std::make_shared<TlsContext>();
  error_code error;
  SSL_CTX_set_min_proto_version(made->context.native_handle(), TLS1_3_VERSION);
  const auto refuse = [&error](const std::string& file) {
    return fail(ErrorCode::kInvalid, fmt::format("cannot use {}: {}", file, error.message()));
  };
  if (files.ca.empty())
    made->context.set_default_verify_paths(error);
  else
    made->context.load_verify_file(files.ca, error);
  if (error) return refuse(files.ca.empty() ? "the system's authorities" : files.ca);
  if (files.certificate.empty() != files.key.empty())
    return fail(ErrorCode::kInvalid, "--cert and --key belong together; give both or neither");
  if (!files.certificate.empty()) {
    made->context.use_certificate_chain_file(files.certificate, error);
    if (error) return refuse(files.certificate);
    made->context.use_private_key_file(files.key, asio::ssl::context::pem, error);
    if (error) return refuse(files.key);
    made->own_identity = spiffe_identity(SSL_CTX_get0_certificate(made->context.native_handle()));
  }
  return std::shared_ptr<const TlsContext>(std::move(made));
}

using PlainStream = beast::tcp_stream;
using TlsStream = asio::ssl::stream<beast::tcp_stream>;

struct HttpConnection::State {
  Endpoint endpoint;
  std::shared_ptr<const TlsContext> tls;
  asio::io_context io{1};
  std::optional<PlainStream> plain;
  std::optional<TlsStream> secure;
  beast::flat_buffer buffer;
  std::string refusal;  // why the peer's certificate was refused

  [[nodiscard]] bool is_open() const { return plain.has_value() || secure.has_value(); }
  PlainStream& lowest() { return secure ? secure->next_layer() : *plain; }

  void close() {
    if (is_open()) {
      error_code ignored;  // nothing more is wanted from this socket
      lowest().socket().close(ignored);
    }
    plain.reset();
    secure.reset();
    buffer.clear();
  }

  // Runs one asynchronous operation to its end; its deadline is the stream's.
  template <class Start>
  error_code run(Start start) {
    error_code result = asio::error::would_block;
    start([&result](error_code error) { result = error; });
    io.restart();
    io.run();
    return result;
  }

  bool trusts(bool chain_is_good, asio::ssl::verify_context& context) {
    if (!chain_is_good) return false;
    X509_STORE_CTX* store = context.native_handle();
    if (X509_STORE_CTX_get_error_depth(store) > 0) return true;
    X509* certificate = X509_STORE_CTX_get_current_cert(store);
    const std::string identity = spiffe_identity(certificate);
    if (is_node_of_same_chain(identity, tls->own_identity)) return true;
    if (identity.empty()) {
      asio::ssl::host_name_verification host(endpoint.host);
      if (host(true, context)) return true;
    }
    refusal = identity.empty() ? "its certificate names neither a node nor this host"
                               : "its certificate is for " + identity;
    return false;
  }

  error_code open(std::chrono::steady_clock::time_point deadline) {
    asio::ip::tcp::resolver resolver(io);
    error_code error;
    const auto addresses = resolver.resolve(endpoint.host, endpoint.port, error);
    if (error) return error;
    refusal.clear();
    if (endpoint.tls)
      secure.emplace(io, tls->context);
    else
      plain.emplace(io);
    PlainStream& stream = lowest();
    stream.expires_at(deadline);
    error = run([&](auto done) {
      stream.async_connect(addresses, [done](error_code e, const auto&) { done(e); });
    });
    if (error) return error;
    stream.socket().set_option(asio::ip::tcp::no_delay(true), error);
    if (error || !endpoint.tls) return error;
    secure->set_verify_mode(asio::ssl::verify_peer, error);
    if (error) return error;
    secure->set_verify_callback(
        [this](bool good, asio::ssl::verify_context& context) { return trusts(good, context); },
        error);
    if (error) return error;
    SSL_set_tlsext_host_name(secure->native_handle(), endpoint.host.c_str());
    return run([&](auto done) {
      secure->async_handshake(asio::ssl::stream_base::client, [done](error_code e) { done(e); });
    });
  }

  template <class Stream>
  error_code talk(Stream& stream, const http::request<http::span_body<const char>>& request,
                  http::response_parser<http::string_body>& parser) {
    const error_code error = run([&](auto done) {
      http::async_write(stream, request, [done](error_code e, std::size_t) { done(e); });
    });
    if (error) return error;
    return run([&](auto done) {
      http::async_read(stream, buffer, parser, [done](error_code e, std::size_t) { done(e); });
    });
  }

  [[nodiscard]] tl::unexpected<chain::Error> unavailable(const error_code& error) const {
    const std::string reason = error == beast::error::timeout ? "no answer in time"
                               : !refusal.empty()             ? refusal
                                                              : error.message();
    return fail(ErrorCode::kUnavailable, fmt::format("{}: {}", endpoint.text, reason));
  }
};

HttpConnection::HttpConnection(Endpoint endpoint, std::shared_ptr<const TlsContext> tls)
    : state_(std::make_unique<State>()) {
  state_->endpoint = std::move(endpoint);
  state_->tls = std::move(tls);
}
HttpConnection::~HttpConnection() = default;
HttpConnection::HttpConnection(HttpConnection&&) noexcept = default;
HttpConnection& HttpConnection::operator=(HttpConnection&&) noexcept = default;

const Endpoint& HttpConnection::endpoint() const {
  return state_->endpoint;
}
void HttpConnection::close() {
  state_->close();
}

namespace {

http::request<http::span_body<const char>> compose(const HttpRequest& request,
                                                   const Endpoint& endpoint) {
  http::request<http::span_body<const char>> composed;
  composed.version(11);
  composed.method_string(request.method);
  composed.target(request.target);
  const bool is_ipv6 = endpoint.host.find(':') != std::string::npos;
  composed.set(http::field::host,
               (is_ipv6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + endpoint.port);
  composed.set(http::field::user_agent, "eventchain");
  composed.set(http::field::accept, "application/json, application/problem+json");
  if (!request.content_type.empty()) composed.set(http::field::content_type, request.content_type);
  for (const auto& [name, value] : request.headers) composed.set(name, value);
  composed.body() = {request.body.data(), request.body.size()};
  if (request.method != "GET") composed.content_length(request.body.size());
  return composed;
}

std::string header(const http::response<http::string_body>& response, http::field field) {
  const auto found = response.find(field);
  return found == response.end() ? std::string()
                                 : std::string(found->value().data(), found->value().size());
}

}  // namespace

Result<HttpResponse> HttpConnection::exchange(const HttpRequest& request,
                                              std::chrono::milliseconds timeout) {
  State& state = *state_;
  const auto composed = compose(request, state.endpoint);
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const bool was_idle = state.is_open();
    if (!was_idle) {
      const error_code error = state.open(deadline);
      if (error) {
        state.close();
        return state.unavailable(error);
      }
    }
    http::response_parser<http::string_body> parser;
    parser.body_limit(kResponseBytesMax);
    parser.header_limit(kHeaderBytesMax);
    state.lowest().expires_at(deadline);
    const error_code error = state.secure ? state.talk(*state.secure, composed, parser)
                                          : state.talk(*state.plain, composed, parser);
    if (error) {
      const bool nothing_came = !parser.got_some();
      state.close();
      if (was_idle && nothing_came && error != beast::error::timeout) continue;
      return state.unavailable(error);
    }
    if (!parser.keep_alive()) state.close();
    http::response<http::string_body> response = parser.release();
    HttpResponse result;
    result.status = response.result_int();
    result.content_type = header(response, http::field::content_type);
    result.retry_after = header(response, http::field::retry_after);
    result.body = std::move(response.body());
    return result;
  }
}

}  // namespace eventchain::tools
