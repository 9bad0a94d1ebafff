#include "net/asio/tls.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <utility>

namespace eventchain::net {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

namespace ssl = boost::asio::ssl;

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

tl::unexpected<chain::Error> refuse(const char* what) {
  return fail(ErrorCode::kInvalid,
              std::string("certificate: ") + what + "; issue it anew with the chain's own CA");
}

Result<std::string> only_uri(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names) return refuse("has no list of alternative names, or more than one");
  std::string uri;
  int uris = 0;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* text = name->d.uniformResourceIdentifier;
    uri.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
               static_cast<std::size_t>(ASN1_STRING_length(text)));
    ++uris;
  }
  if (uris != 1) return refuse("must have exactly one URI as an alternative name");
  return uri;
}

Result<std::string> identity_uri(X509* certificate) {
  if (certificate == nullptr) return refuse("there is none");
  const std::uint32_t flags = X509_get_extension_flags(certificate);
  if ((flags & EXFLAG_INVALID) != 0) return refuse("has extensions that cannot be read");
  if ((flags & EXFLAG_CA) != 0) return refuse("is a CA's, not a node's");
  if ((flags & EXFLAG_KUSAGE) == 0 || (X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE) == 0)
    return refuse("is not for digital signatures");
  constexpr std::uint32_t kBoth = XKU_SSL_SERVER | XKU_SSL_CLIENT;
  if ((flags & EXFLAG_XKUSAGE) == 0 || (X509_get_extended_key_usage(certificate) & kBoth) != kBoth)
    return refuse("is not for both roles, server and client");
  return only_uri(certificate);
}

}  // namespace

Result<TlsContext> make_tls_context(const TlsFiles& files) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(native, TLS1_3_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_num_tickets(native, 0);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);

  boost::system::error_code error;
  const auto failed = [&error](const char* what, const std::string& file) {
    return fail(ErrorCode::kIo, std::string("cannot use the ") + what + " in " + file + ": " +
                                    error.message() + "; check that it is readable PEM");
  };
  // An encrypted key would otherwise make OpenSSL ask on the terminal and wait for ever.
  context->set_password_callback(
      [](std::size_t, ssl::context::password_purpose) { return std::string(); }, error);
  context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
  if (context->use_certificate_chain_file(files.certificate, error); error)
    return failed("certificate", files.certificate);
  if (context->use_private_key_file(files.key, ssl::context::pem, error); error)
    return failed("private key", files.key);
  if (context->load_verify_file(files.ca, error); error) return failed("CA certificates", files.ca);
  return context;
}

Result<std::string> own_uri(const ssl::context& context) {
  auto& shared = const_cast<ssl::context&>(context);  // native_handle() is not const
  return identity_uri(SSL_CTX_get0_certificate(shared.native_handle()));
}

Result<std::string> peer_uri(const SSL* connection) {
  if (SSL_get_verify_result(connection) != X509_V_OK) return refuse("is not of a trusted CA");
  return identity_uri(SSL_get0_peer_certificate(connection));
}

std::string verify_failure(const SSL* connection) {
  const long result = SSL_get_verify_result(connection);
  return result == X509_V_OK ? std::string() : X509_verify_cert_error_string(result);
}

}  // namespace eventchain::net
