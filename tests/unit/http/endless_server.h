#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

// Answers one request with a beginning, and then the same piece for as long as it is taken: up to
// `kOctetsMax`, so that a client which takes everything ends a test instead of the memory.
class EndlessServer {
 public:
  static constexpr std::size_t kOctetsMax = std::size_t{16} * 1024 * 1024;

  EndlessServer(std::string beginning, std::string piece)
      : beginning_(std::move(beginning)),
        piece_(std::move(piece)),
        listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 1) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("cannot listen");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { answer(); });
  }
  ~EndlessServer() {
    thread_.join();
    ::close(listener_);
  }
  EndlessServer(const EndlessServer&) = delete;
  EndlessServer& operator=(const EndlessServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void answer() {
    const int caller = ::accept(listener_, nullptr, nullptr);
    if (caller < 0) return;
    std::array<char, 4096> request{};
    std::size_t sent = 0;
    if (::recv(caller, request.data(), request.size(), 0) > 0 && send(caller, beginning_))
      while (sent < kOctetsMax && send(caller, piece_)) sent += piece_.size();
    ::close(caller);
  }
  static bool send(int caller, std::string_view octets) {
    while (!octets.empty()) {
      const ssize_t count = ::send(caller, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      octets.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  const std::string beginning_, piece_;
  const int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};
