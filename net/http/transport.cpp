#include "net/http/transport.h"

// Brings OpenSSL's certificate functions with it.
#include <fmt/format.h>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <mutex>
#include <utility>

namespace eventchain::net::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// A shut socket fails on its next use anyway; what close() says is of no use to anyone.
void close_socket(tcp::socket& socket) {
  error_code ignored;
  socket.close(ignored);
}

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(tcp::socket socket) : socket_(std::move(socket)) {}

  void handshake(Done done) override { done({}, 0); }
  void read_some(asio::mutable_buffer buffer, Done done) override {
    socket_.async_read_some(buffer, std::move(done));
  }
  void write_some(const Buffers& buffers, Done done) override {
    socket_.async_write_some(buffers, std::move(done));
  }
  void end_sending(Done done) override {
    error_code ec;
    socket_.shutdown(tcp::socket::shutdown_send, ec);
    done(ec, 0);
  }
  void close() override { close_socket(socket_); }
  [[nodiscard]] std::string principal() const override { return {}; }

 private:
  tcp::socket socket_;
};

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::string text_of(const ASN1_STRING* text) {
  const auto* octets = reinterpret_cast<const char*>(ASN1_STRING_get0_data(text));
  return {octets, static_cast<std::size_t>(ASN1_STRING_length(text))};
}

// The only URI among the subject's alternative names (as SPIFFE demands), else its common name.
std::string name_in(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string uri;
  int uris = 0;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    ++uris;
    uri = text_of(name->d.uniformResourceIdentifier);
  }
  if (uris > 0) return uris == 1 ? uri : std::string();
  X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

class TlsTransport final : public Transport {
 public:
  TlsTransport(tcp::socket socket, std::shared_ptr<asio::ssl::context> context)
      : context_(std::move(context)), stream_(std::move(socket), *context_) {}

  void handshake(Done done) override {
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [done = std::move(done)](const error_code& ec) { done(ec, 0); });
  }
  void read_some(asio::mutable_buffer buffer, Done done) override {
    stream_.async_read_some(buffer, std::move(done));
  }
  void write_some(const Buffers& buffers, Done done) override {
    stream_.async_write_some(buffers, std::move(done));
  }
  void end_sending(Done done) override {
    stream_.async_shutdown([done = std::move(done)](const error_code& ec) { done(ec, 0); });
  }
  void close() override { close_socket(stream_.next_layer()); }
  [[nodiscard]] std::string principal() const override {
    // native_handle() is not const, though asking for the peer's certificate changes nothing.
    auto& stream = const_cast<asio::ssl::stream<tcp::socket>&>(stream_);
    const std::unique_ptr<X509, FreeCertificate> certificate(
        SSL_get1_peer_certificate(stream.native_handle()));
    return certificate ? name_in(certificate.get()) : std::string();
  }

 private:
  const std::shared_ptr<asio::ssl::context> context_;  // the factory may have another by now
  asio::ssl::stream<tcp::socket> stream_;
};

class PlainTransports final : public TransportFactory {
 public:
  std::unique_ptr<Transport> make(tcp::socket socket) override {
    return std::make_unique<PlainTransport>(std::move(socket));
  }
  [[nodiscard]] bool has_handshake() const override { return false; }
  chain::Result<void> reload() override { return {}; }
};

using TlsContext = std::shared_ptr<asio::ssl::context>;

tl::unexpected<chain::Error> refuse(std::string_view what, const std::string& file,
                                    const error_code& ec) {
  return chain::fail(chain::ErrorCode::kInvalid,
                     fmt::format("no usable {} in '{}': {}; give a PEM file that this user can "
                                 "read",
                                 what, file, ec.message()));
}

chain::Result<TlsContext> load(const TlsOptions& options) {
  const auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  context->set_options(asio::ssl::context::default_workarounds);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_3_VERSION);
  SSL_CTX_set_options(context->native_handle(), SSL_OP_NO_RENEGOTIATION);
  error_code ec;
  context->use_certificate_chain_file(options.certificate_file, ec);
  if (ec) return refuse("certificate", options.certificate_file, ec);
  context->use_private_key_file(options.key_file, asio::ssl::context::pem, ec);
  if (ec) return refuse("private key of that certificate", options.key_file, ec);
  if (options.client_ca_file.empty()) return context;
  context->load_verify_file(options.client_ca_file, ec);
  if (ec) return refuse("client authority", options.client_ca_file, ec);
  context->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert, ec);
  // Without it OpenSSL refuses to resume sessions of clients that it verified.
  SSL_CTX_set_session_id_context(context->native_handle(),
                                 reinterpret_cast<const unsigned char*>("eventchain"), 10);
  return context;
}

class TlsTransports final : public TransportFactory {
 public:
  explicit TlsTransports(TlsOptions options) : options_(std::move(options)) {}

  chain::Result<void> reload() override {
    auto loaded = load(options_);
    if (!loaded) return tl::unexpected<chain::Error>(std::move(loaded.error()));
    const std::lock_guard lock(mutex_);
    context_ = std::move(*loaded);
    return {};
  }
  std::unique_ptr<Transport> make(tcp::socket socket) override {
    return std::make_unique<TlsTransport>(std::move(socket), context());
  }
  [[nodiscard]] bool has_handshake() const override { return true; }

 private:
  TlsContext context() const {
    const std::lock_guard lock(mutex_);
    return context_;
  }

  const TlsOptions options_;
  mutable std::mutex mutex_;
  TlsContext context_;  // guarded by mutex_
};

}  // namespace

std::unique_ptr<TransportFactory> plain_transports() {
  return std::make_unique<PlainTransports>();
}

chain::Result<std::unique_ptr<TransportFactory>> tls_transports(const TlsOptions& options) {
  auto transports = std::make_unique<TlsTransports>(options);
  if (auto loaded = transports->reload(); !loaded)
    return tl::unexpected<chain::Error>(std::move(loaded.error()));
  return std::unique_ptr<TransportFactory>(std::move(transports));
}

}  // namespace eventchain::net::http
