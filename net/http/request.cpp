#include "net/http/request.h"

namespace eventchain::net::http {

std::optional<std::string_view> Request::find(std::string_view name) const {
  for (const Header& field : headers)
    if (field.name == name) return std::string_view(field.value);
  return std::nullopt;
}

std::string_view Request::header(std::string_view name) const {
  return find(name).value_or(std::string_view());
}

}  // namespace eventchain::net::http
