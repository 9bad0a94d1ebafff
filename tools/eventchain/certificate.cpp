#include "tools/eventchain/certificate.h"

#include <arpa/inet.h>
#include <algorithm>

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace eventchain::tools {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

constexpr long kSecondsPerDay = 24L * 60 * 60;
// Clocks of hosts differ a little; a certificate must work on all of them at once.
constexpr long kBackdatedSeconds = 60L * 60;
constexpr int kSerialOctets = 16;

Result<void> add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  if (extension == nullptr || X509_add_ext(certificate, extension.get(), -1) != 1)
    return openssl_failure("cannot add '" + value + "' to the certificate");
  return {};
}

bool is_ip_address(const std::string& text) {
  in6_addr storage{};
  return inet_pton(AF_INET, text.c_str(), &storage) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &storage) == 1;
}

// OpenSSL's configuration syntax gives ',' and ':' and line ends a meaning of their own.
Result<std::string> alternative_names(const CertificateContent& content) {
  std::string names = "URI:" + content.uri;
  for (const std::string& address : content.addresses) {
    const bool is_ip = is_ip_address(address);
    const bool is_dns = !address.empty() && std::all_of(address.begin(), address.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    });
    if (!is_ip && !is_dns)
      return fail(ErrorCode::kInvalid,
                  fmt::format("'{}' is neither an IP address nor a lower-case DNS name", address));
    names += (is_ip ? ",IP:" : ",DNS:") + address;
  }
  return names;
}

Result<Certificate> start_certificate(EVP_PKEY* key, const CertificateContent& content) {
  Certificate certificate(X509_new());
  const Result<std::string> serial = random_octets(kSerialOctets);
  if (!serial) return tl::unexpected(serial.error());
  const std::unique_ptr<BIGNUM, Freed<BN_free>> number(
      BN_bin2bn(reinterpret_cast<const unsigned char*>(serial->data()), kSerialOctets, nullptr));
  if (certificate == nullptr || number == nullptr ||
      X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      // RFC 5280 wants a positive serial of at most 20 octets.
      BN_clear_bit(number.get(), 8 * kSerialOctets - 1) < 0 ||
      BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate.get())) == nullptr ||
      X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kBackdatedSeconds) == nullptr ||
      X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kSecondsPerDay * content.days) ==
          nullptr ||
      X509_set_pubkey(certificate.get(), key) != 1)
    return openssl_failure("cannot make a certificate");
  X509_NAME* name = X509_get_subject_name(certificate.get());
  if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(content.common_name.data()),
                                 static_cast<int>(content.common_name.size()), -1, 0) != 1)
    return openssl_failure("cannot name the certificate '" + content.common_name + "'");
  return certificate;
}

}  // namespace

Result<std::string> random_octets(std::size_t count) {
  std::string octets(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(octets.data()), static_cast<int>(count)) != 1)
    return openssl_failure("the system's random generator failed");
  return octets;
}

Result<Key> make_tls_key() {
  Key key(EVP_EC_gen("P-256"));
  if (key == nullptr) return openssl_failure("cannot make a P-256 key");
  return key;
}

Result<Key> make_signing_key() {
  Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (key == nullptr) return openssl_failure("cannot make an Ed25519 key");
  return key;
}

Result<std::string> key_to_pem(EVP_PKEY* key) {
  const Memory memory(BIO_new(BIO_s_mem()));
  char* text = nullptr;
  if (memory == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return openssl_failure("cannot write a key");
  const long size = BIO_get_mem_data(memory.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

Result<Key> key_from_pem(std::string_view pem, const std::string& what) {
  const Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Key key(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr));
  if (key == nullptr) return openssl_failure(what + " is no private key in PEM form");
  return key;
}

Result<std::string> raw_public_key(EVP_PKEY* key) {
  std::string octets(32, '\0');
  std::size_t size = octets.size();
  if (EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(octets.data()), &size) !=
          1 ||
      size != octets.size())
    return openssl_failure("the signing key is no Ed25519 key");
  return octets;
}

Result<std::string> certificate_to_pem(X509* certificate) {
  const Memory memory(BIO_new(BIO_s_mem()));
  char* text = nullptr;
  if (memory == nullptr || PEM_write_bio_X509(memory.get(), certificate) != 1)
    return openssl_failure("cannot write a certificate");
  const long size = BIO_get_mem_data(memory.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

Result<Certificate> certificate_from_pem(std::string_view pem, const std::string& what) {
  const Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Certificate certificate(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) return openssl_failure(what + " is no certificate in PEM form");
  return certificate;
}

Result<Certificate> make_authority_certificate(EVP_PKEY* key, const CertificateContent& content) {
  Result<Certificate> started = start_certificate(key, content);
  if (!started) return started;
  X509* certificate = started->get();
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  for (const auto& [nid, value] : {std::pair{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                   std::pair{NID_key_usage, "critical,keyCertSign,cRLSign"},
                                   std::pair{NID_subject_key_identifier, "hash"}})
    if (auto added = add_extension(certificate, certificate, nid, value); !added)
      return tl::unexpected(added.error());
  if (X509_sign(certificate, key, EVP_sha256()) == 0)
    return openssl_failure("cannot sign the authority's certificate");
  return started;
}

Result<Certificate> make_end_certificate(EVP_PKEY* key, const CertificateContent& content,
                                         X509* authority, EVP_PKEY* authority_key) {
  const Result<std::string> names = alternative_names(content);
  if (!names) return tl::unexpected(names.error());
  Result<Certificate> started = start_certificate(key, content);
  if (!started) return started;
  X509* certificate = started->get();
  X509_set_issuer_name(certificate, X509_get_subject_name(authority));
  for (const auto& [nid, value] :
       {std::pair<int, std::string>{NID_basic_constraints, "critical,CA:FALSE"},
        {NID_key_usage, "critical,digitalSignature"},
        {NID_ext_key_usage, "serverAuth,clientAuth"},
        {NID_subject_key_identifier, "hash"},
        {NID_authority_key_identifier, "keyid"},
        {NID_subject_alt_name, *names}})
    if (auto added = add_extension(certificate, authority, nid, value); !added)
      return tl::unexpected(added.error());
  if (X509_sign(certificate, authority_key, EVP_sha256()) == 0)
    return openssl_failure("cannot sign the certificate; does ca.key.pem belong to ca.cert.pem?");
  return started;
}

}  // namespace eventchain::tools
