#include "tools/eventchain/certificate_request.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tools/eventchain/certificate.h"
#include "tools/eventchain/peer_identity.h"

namespace eventchain::tools {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

using Request = std::unique_ptr<X509_REQ, Freed<X509_REQ_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;

void free_extensions(STACK_OF(X509_EXTENSION) * extensions) {
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}
using Extensions = std::unique_ptr<STACK_OF(X509_EXTENSION), Freed<free_extensions>>;

bool name_request(X509_REQ* request, const std::string& common_name, const std::string& uri) {
  const Extensions extensions(sk_X509_EXTENSION_new_null());
  X509_EXTENSION* names =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("URI:" + uri).c_str());
  if (extensions == nullptr || names == nullptr ||
      sk_X509_EXTENSION_push(extensions.get(), names) == 0)
    return false;
  return X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1 &&
         X509_REQ_add_extensions(request, extensions.get()) == 1;
}

Result<std::string> only_uri(X509_REQ* request) {
  const Extensions extensions(X509_REQ_get_extensions(request));
  const Names names(static_cast<GENERAL_NAMES*>(
      X509V3_get_d2i(extensions.get(), NID_subject_alt_name, nullptr, nullptr)));
  std::string uri;
  int uris = 0;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    ++uris;
    const ASN1_IA5STRING* text = name->d.uniformResourceIdentifier;
    uri.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
               static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  if (uris != 1)
    return fail(ErrorCode::kInvalid, "the request must have exactly one URI as alternative name");
  return uri;
}

bool is_p256(EVP_PKEY* key) {
  char group[32] = "";
  std::size_t size = 0;
  return EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_group_name(key, group, sizeof(group), &size) == 1 &&
         std::string_view(group, size) == "prime256v1";
}

}  // namespace

Result<std::string> make_certificate_request(EVP_PKEY* key, const std::string& common_name,
                                             const std::string& uri) {
  const Request request(X509_REQ_new());
  const Memory memory(BIO_new(BIO_s_mem()));
  if (request == nullptr || memory == nullptr || X509_REQ_set_version(request.get(), 0) != 1 ||
      X509_REQ_set_pubkey(request.get(), key) != 1 ||
      !name_request(request.get(), common_name, uri) ||
      X509_REQ_sign(request.get(), key, EVP_sha256()) == 0 ||
      PEM_write_bio_X509_REQ(memory.get(), request.get()) != 1)
    return openssl_failure("cannot make a certificate request");
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

Result<CertificateRequest> read_certificate_request(std::string_view pem) {
  const Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Request request(PEM_read_bio_X509_REQ(memory.get(), nullptr, nullptr, nullptr));
  if (request == nullptr) return openssl_failure("this is no certificate request in PEM form");
  CertificateRequest read;
  read.key.reset(X509_REQ_get_pubkey(request.get()));
  if (read.key == nullptr) return openssl_failure("the request has no key that can be read");
  if (!is_p256(read.key.get()))
    return fail(ErrorCode::kInvalid, "the request's key must be a P-256 key");
  if (X509_REQ_verify(request.get(), read.key.get()) != 1)
    return openssl_failure("the request is not signed with its own key");
  Result<std::string> uri = only_uri(request.get());
  if (!uri) return tl::unexpected(uri.error());
  read.uri = std::move(*uri);
  return read;
}

Result<bool> is_certificate_for(std::string_view certificate_pem, EVP_PKEY* key,
                                std::string_view uri) {
  const Result<Certificate> certificate = certificate_from_pem(certificate_pem, "the certificate");
  if (!certificate) return tl::unexpected(certificate.error());
  return X509_check_private_key(certificate->get(), key) == 1 &&
         spiffe_identity(certificate->get()) == uri;
}

}  // namespace eventchain::tools
