#include "net/asio/certificate_file.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <fstream>
#include <memory>
#include <optional>

namespace eventchain::net {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

constexpr std::size_t kFileBytesMax = std::size_t{256} * 1024;

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::optional<chain::UnixMillis> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return chain::UnixMillis{std::int64_t{timegm(&parts)} * 1000};
}

std::string text_of(const X509_NAME* name) {
  const std::unique_ptr<BIO, Free> out(BIO_new(BIO_s_mem()));
  if (!out || name == nullptr || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0)
    return {};
  const char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

std::string only_uri(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, Free> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string uri;
  int uris = 0;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* text = name->d.uniformResourceIdentifier;
    uri.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
               static_cast<std::size_t>(ASN1_STRING_length(text)));
    ++uris;
  }
  return uris == 1 ? uri : std::string();
}

}  // namespace

Result<CertificateFile> read_certificate_file(const std::filesystem::path& file) {
  const auto refuse = [&file](const char* what) {
    ERR_clear_error();
    return fail(ErrorCode::kIo, file.string() + ": " + what);
  };
  std::ifstream stream(file, std::ios::binary);
  std::string text(kFileBytesMax + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.empty()) return refuse("cannot be read, or is empty");
  if (text.size() > kFileBytesMax) return refuse("is larger than 256 KiB; no certificate is");
  const std::unique_ptr<BIO, Free> in(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  const std::unique_ptr<X509, Free> certificate(
      in ? PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!certificate) return refuse("holds no certificate in PEM form");
  const auto not_before = time_of(X509_get0_notBefore(certificate.get()));
  const auto not_after = time_of(X509_get0_notAfter(certificate.get()));
  if (!not_before || !not_after) return refuse("has a certificate with times that are none");
  CertificateFile read{text_of(X509_get_subject_name(certificate.get())),
                       text_of(X509_get_issuer_name(certificate.get())),
                       only_uri(certificate.get()), *not_before, *not_after};
  ERR_clear_error();
  return read;
}

}  // namespace eventchain::net
