#pragma once

#include <filesystem>
#include <string>

#include "chain/result.h"
#include "chain/types.h"

namespace eventchain::net {

// What people ask of a certificate.
struct CertificateFile {
  std::string subject;  // in one line, as RFC 2253 writes names
  std::string issuer;
  std::string uri;  // the one URI among its alternative names; empty: there is not just one
  chain::UnixMillis not_before;
  chain::UnixMillis not_after;
};

// Of the first certificate in a PEM file of at most 256 KiB. Errors name the file.
chain::Result<CertificateFile> read_certificate_file(const std::filesystem::path& file);

}  // namespace eventchain::net
