#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "chain/result.h"
#include "net/http/tls_options.h"

namespace eventchain::net::http {

// One accepted connection as octets: plain TCP or TLS behind one face, so that everything above is
// compiled once. Used on the thread of its io_context only; one read and one write at a time.
class Transport {
 public:
  using Done = std::function<void(const boost::system::error_code&, std::size_t)>;
  using Buffers = std::array<boost::asio::const_buffer, 2>;

  virtual ~Transport() = default;
  virtual void handshake(Done done) = 0;
  virtual void read_some(boost::asio::mutable_buffer buffer, Done done) = 0;
  virtual void write_some(const Buffers& buffers, Done done) = 0;
  virtual void end_sending(Done done) = 0;
  virtual void close() = 0;  // outstanding operations end with an error
  // Of the verified client certificate; after the handshake.
  [[nodiscard]] virtual std::string principal() const = 0;
};

// Makes transports; holds the TLS context. Any thread.
class TransportFactory {
 public:
  virtual ~TransportFactory() = default;
  virtual std::unique_ptr<Transport> make(boost::asio::ip::tcp::socket socket) = 0;
  [[nodiscard]] virtual bool has_handshake() const = 0;
  // Reads its files again, for transports made from then on. On an error it stays as it was.
  virtual chain::Result<void> reload() = 0;
};
std::unique_ptr<TransportFactory> plain_transports();
chain::Result<std::unique_ptr<TransportFactory>> tls_transports(const TlsOptions& options);

}  // namespace eventchain::net::http
