#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "chain/result.h"

// TLS between nodes: version 1.3 only, both sides show a certificate of our own CA, no session
// tickets and no resumption, so that every connection proves itself anew.
namespace eventchain::net {

struct TlsFiles {
  std::string certificate;  // PEM, leaf first
  std::string key;          // PEM, not encrypted
  std::string ca;           // PEM; several during a rotation of the CA
};

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

// Serves both ends of a link. A context is never changed: new files make a new context, which new
// connections use, while the old one lives as long as its connections.
chain::Result<TlsContext> make_tls_context(const TlsFiles& files);

// The URI in the node's own certificate.
chain::Result<std::string> own_uri(const boost::asio::ssl::context& context);
// The URI in the peer's certificate, once the chain of trust is verified: exactly one URI in the
// subject's alternative names, a leaf, for digital signatures, for both roles of TLS.
chain::Result<std::string> peer_uri(const SSL* connection);
// Why the chain of trust of a failed handshake did not hold; "" if that was not the reason.
std::string verify_failure(const SSL* connection);

}  // namespace eventchain::net
