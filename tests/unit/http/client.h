#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

// A client that sends exactly the octets a test wants, which no HTTP library would.
class RawClient {
 public:
  // `window`: octets that arrive before the client reads them, about; 0 for the system's choice.
  explicit RawClient(std::uint16_t port, int window = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (window > 0) setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // Turns a server that never answers into a failing test instead of a hanging one.
    const timeval patience{20, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
      throw std::runtime_error("cannot connect");
  }
  ~RawClient() { hang_up(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void hang_up() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

  // False when the server does not take it any more.
  bool send(std::string_view octets) {
    while (!octets.empty()) {
      const ssize_t sent = ::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      octets.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // Reads until `text` is there; false if the connection ended first.
  bool read_until(std::string_view text) {
    while (received_.find(text) == std::string::npos)
      if (!read_some()) return false;
    return true;
  }
  // Everything up to the end of the connection.
  std::string read_all() {
    while (read_some()) continue;
    return take();
  }
  // One answer with Content-Length (none when `is_head`): head and body.
  std::string read_answer(bool is_head = false) {
    if (!read_until("\r\n\r\n")) return take();
    const std::size_t head = received_.find("\r\n\r\n") + 4;
    std::size_t length = 0;
    const std::size_t at = received_.find("Content-Length: ");
    if (!is_head && at < head) length = std::stoul(received_.substr(at + 16));
    while (received_.size() < head + length)
      if (!read_some()) return take();
    std::string answer = received_.substr(0, head + length);
    received_.erase(0, head + length);
    return answer;
  }
  std::string take() { return std::move(received_); }
  [[nodiscard]] const std::string& received() const { return received_; }

 private:
  bool read_some() {
    char buffer[16 * 1024];
    const ssize_t got = ::recv(socket_, buffer, sizeof(buffer), 0);
    if (got <= 0) return false;
    received_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  int socket_;
  std::string received_;
};

inline int status_of(std::string_view answer) {
  return answer.size() < 12 ? 0 : std::stoi(std::string(answer.substr(9, 3)));
}

inline std::string body_of(const std::string& answer) {
  const std::size_t at = answer.find("\r\n\r\n");
  return at == std::string::npos ? std::string() : answer.substr(at + 4);
}
