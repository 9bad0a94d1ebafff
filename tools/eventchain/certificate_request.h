#pragma once

#include <string>
#include <string_view>

#include "tools/eventchain/openssl_handles.h"

// PKCS #10: by which a node asks for its certificate without anybody else seeing its key.
namespace eventchain::tools {

// In PEM form, signed with the key; `uri` is its only alternative name.
chain::Result<std::string> make_certificate_request(EVP_PKEY* key, const std::string& common_name,
                                                    const std::string& uri);

struct CertificateRequest {
  Key key;  // the public half
  std::string uri;
};
// Checks that who asks has the key, that the key is P-256, and that there is exactly one URI. All
// else that the request wants is left unread.
chain::Result<CertificateRequest> read_certificate_request(std::string_view pem);

// True if the certificate is for the key and for that URI alone.
chain::Result<bool> is_certificate_for(std::string_view certificate_pem, EVP_PKEY* key,
                                       std::string_view uri);

}  // namespace eventchain::tools
