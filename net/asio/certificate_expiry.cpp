#include "net/asio/certificate_expiry.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>

namespace eventchain::net {

chain::Result<chain::UnixMillis> certificate_expiry(const std::string& file) {
  const auto unreadable = [&file] {
    return chain::fail(chain::ErrorCode::kIo,
                       file + " has no certificate in PEM form whose validity can be read");
  };
  const std::unique_ptr<BIO, decltype(&BIO_free)> source(BIO_new_file(file.c_str(), "r"),
                                                         &BIO_free);
  if (!source) return unreadable();
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr), &X509_free);
  std::tm end{};
  if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1)
    return unreadable();
  return chain::UnixMillis{std::int64_t{timegm(&end)} * 1000};
}

}  // namespace eventchain::net
