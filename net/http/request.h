#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventchain::net::http {

struct Header {
  std::string name;  // lower case in requests
  std::string value;
  bool operator==(const Header&) const = default;
};

// One complete request, as a value.
struct Request {
  std::string method;  // "GET", "POST", ...
  std::string target;  // as sent: path and query, still percent-encoded
  std::vector<Header> headers;
  std::string body;
  // Who speaks, from the verified client certificate: its URI, else its common name; "" without.
  std::string principal;
  std::string peer_address;  // IP address in text form

  // First value of a header by its lower-case name.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  // The same, "" when absent.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

}  // namespace eventchain::net::http
