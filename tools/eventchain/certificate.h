#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/eventchain/openssl_handles.h"

// Keys and X.509 certificates as the project uses them: P-256 for TLS, Ed25519 for signing.
namespace eventchain::tools {

chain::Result<Key> make_tls_key();
chain::Result<Key> make_signing_key();
chain::Result<std::string> key_to_pem(EVP_PKEY* key);
chain::Result<Key> key_from_pem(std::string_view pem, const std::string& what);
chain::Result<std::string> raw_public_key(EVP_PKEY* key);  // 32 octets, Ed25519 only
chain::Result<std::string> random_octets(std::size_t count);

chain::Result<std::string> certificate_to_pem(X509* certificate);
chain::Result<Certificate> certificate_from_pem(std::string_view pem, const std::string& what);

struct CertificateContent {
  std::string common_name;
  std::string uri;                     // the one URI name; empty for the authority itself
  std::vector<std::string> addresses;  // DNS names or IP addresses
  int days = 0;
};

// Self-signed: may sign certificates and nothing else.
chain::Result<Certificate> make_authority_certificate(EVP_PKEY* key,
                                                      const CertificateContent& content);
// For both ends of a TLS link: digitalSignature, serverAuth and clientAuth.
chain::Result<Certificate> make_end_certificate(EVP_PKEY* key, const CertificateContent& content,
                                                X509* authority, EVP_PKEY* authority_key);

}  // namespace eventchain::tools
