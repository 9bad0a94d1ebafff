#include "tools/eventchain/tls_probe.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <memory>

#include "tools/eventchain/peer_identity.h"

namespace eventchain::tools {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;

namespace {

struct FreeVerification {
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
};

// The files in a context; what is wrong with them.
std::string load(asio::ssl::context& context, const TlsFiles& files) {
  error_code error;
  // An encrypted key would otherwise make OpenSSL ask on the terminal.
  context.set_password_callback(
      [](std::size_t, asio::ssl::context::password_purpose) { return std::string(); }, error);
  if (context.use_certificate_chain_file(files.certificate, error); error)
    return "the certificate cannot be used: " + error.message();
  if (context.use_private_key_file(files.key, asio::ssl::context::pem, error); error)
    return files.key + " cannot be used with it: " + error.message();
  if (SSL_CTX_check_private_key(context.native_handle()) != 1)
    return files.key + " is the key of another certificate";
  if (!files.ca.empty()) context.load_verify_file(files.ca, error);
  return error ? files.ca + " cannot be used: " + error.message() : std::string();
}

std::string verify_own(asio::ssl::context& context) {
  SSL_CTX* const native = context.native_handle();
  const std::unique_ptr<X509_STORE_CTX, FreeVerification> verification(X509_STORE_CTX_new());
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(native, &chain);
  if (!verification || X509_STORE_CTX_init(verification.get(), SSL_CTX_get_cert_store(native),
                                           SSL_CTX_get0_certificate(native), chain) != 1)
    return "it cannot be verified";
  X509_STORE_CTX_set_flags(verification.get(), X509_V_FLAG_NO_CHECK_TIME);
  if (X509_verify_cert(verification.get()) == 1) return {};
  return std::string("the authority did not issue it: ") +
         X509_verify_cert_error_string(X509_STORE_CTX_get_error(verification.get()));
}

}  // namespace

std::string tls_files_trouble(const TlsFiles& files) {
  asio::ssl::context context(asio::ssl::context::tls);
  std::string trouble = load(context, files);
  if (trouble.empty() && !files.ca.empty()) trouble = verify_own(context);
  return trouble;
}

ProbedPeer probe_peer(const std::string& host, const std::string& port, const TlsFiles& files,
                      std::chrono::milliseconds timeout) {
  asio::ssl::context context(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_3_VERSION);
  if (std::string trouble = load(context, files); !trouble.empty())
    return {"it was not asked, since this node's own files are no use: " + trouble, {}};
  asio::io_context io{1};
  error_code error;
  const auto addresses = asio::ip::tcp::resolver(io).resolve(host, port, error);
  if (error) return {"its name cannot be looked up: " + error.message(), {}};
  asio::ssl::stream<beast::tcp_stream> stream(io, context);
  const auto run = [&io](auto start) {
    error_code result = asio::error::would_block;
    start([&result](error_code outcome) { result = outcome; });
    io.restart();
    io.run();
    return result;
  };
  const auto told = [](const error_code& outcome) {
    return outcome == beast::error::timeout ? std::string("no answer in time") : outcome.message();
  };
  stream.next_layer().expires_after(timeout);
  error = run([&](auto done) {
    stream.next_layer().async_connect(addresses, [done](error_code e, const auto&) { done(e); });
  });
  if (error) return {told(error), {}};
  stream.set_verify_mode(asio::ssl::verify_peer, error);
  error = run([&](auto done) {
    stream.async_handshake(asio::ssl::stream_base::client, [done](error_code e) { done(e); });
  });
  if (error) return {"it does not shake hands: " + told(error), {}};
  return {{}, spiffe_identity(SSL_get0_peer_certificate(stream.native_handle()))};
}

}  // namespace eventchain::tools
