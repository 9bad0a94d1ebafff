#pragma once

#include <string>

namespace eventchain::net::http {

// Where the server's TLS 1.3 identity lies. All files are PEM.
struct TlsOptions {
  std::string certificate_file;  // leaf first, then intermediates
  std::string key_file;
  // Not empty: every client must show a certificate that one of these authorities signed.
  std::string client_ca_file;
};

}  // namespace eventchain::net::http
