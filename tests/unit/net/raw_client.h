#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "chain/bytes.h"
#include "net/codec.h"
#include "net/frame.h"
#include "tests/unit/net/test_pki.h"

namespace eventchain::net::testing {

// A peer that misbehaves on purpose: a blocking socket, with TLS if wanted.
class RawClient {
 public:
  static constexpr const char* kHost = "127.0.0.1";

  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    // OpenSSL writes without MSG_NOSIGNAL, and being cut off is what these tests are about.
    std::signal(SIGPIPE, SIG_IGN);
    const timeval patience{30, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, kHost, &address.sin_addr);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
      throw std::runtime_error("the test cannot reach its mesh");
  }
  ~RawClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    ::close(socket_);
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void send_plain(chain::ByteView bytes) const {
    if (::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0)
      throw std::runtime_error("the test cannot send");
  }

  // Trusts anyone: what the mesh demands of us is the subject of the tests.
  bool shake_hands(const PkiFiles& files, int version = TLS1_3_VERSION) {
    context_ = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(context_, version);
    if (!files.certificate.empty()) {
      SSL_CTX_use_certificate_chain_file(context_, files.certificate.c_str());
      SSL_CTX_use_PrivateKey_file(context_, files.key.c_str(), SSL_FILETYPE_PEM);
    }
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, socket_);
    return SSL_connect(ssl_) == 1;
  }

  bool send(chain::ByteView bytes) {
    return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
  }
  bool say(const Message& message) { return send(make_frame(encode(message))); }

  // nullopt once the mesh has closed the connection.
  std::optional<chain::Bytes> read_payload() {
    char buffer[4096];
    while (true) {
      if (const auto payload = frames_.next(); !payload || *payload)
        return payload ? *payload : std::nullopt;
      const int count = SSL_read(ssl_, buffer, sizeof(buffer));
      if (count <= 0) return std::nullopt;
      frames_.feed({buffer, static_cast<std::size_t>(count)});
    }
  }

 private:
  int socket_;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  FrameReader frames_;
};

// A port of the loopback that was free a moment ago.
inline std::uint16_t free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  inet_pton(AF_INET, RawClient::kHost, &address.sin_addr);
  socklen_t size = sizeof(address);
  const bool is_bound =
      ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(probe);
  if (!is_bound) throw std::runtime_error("no free port for the test");
  return ntohs(address.sin_port);
}

}  // namespace eventchain::net::testing
