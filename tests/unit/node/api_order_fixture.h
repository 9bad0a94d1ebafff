#pragma once

#include <boost/json.hpp>
#include <string>

#include "tests/unit/node/api_fakes.h"

// What the tests of orders and of joining share.
namespace api_test {

inline node::api::ApiOptions order_options(
    node::api::OrderRight right = node::api::OrderRight::kEverybody) {
  node::api::ApiOptions options;
  options.order_right = right;
  options.operators = {"operator"};
  options.wall_clock = [] { return chain::UnixMillis{1'700'000'000'000}; };
  return options;
}

template <class Kind>
Kind of_hex(std::string_view text) {
  return Kind::from(chain::from_hex(text).value()).value();
}

// The only order there is.
template <class Kind>
Kind ordered(const Fixture& fixture) {
  REQUIRE(fixture.port.orders.size() == 1);
  const auto& order = std::get<chain::MemberOrder>(fixture.port.orders[0]);
  REQUIRE(std::holds_alternative<Kind>(order.what));
  return std::get<Kind>(order.what);
}

inline chain::Member sample_member(std::string name, std::uint8_t id) {
  chain::Member member;
  member.node.octets[0] = id;
  member.signing_key.octets[0] = id;
  member.store.octets[0] = id;
  member.slot.value = id;
  member.name = std::move(name);
  member.role = chain::MemberRole::kStandby;
  return member;
}

inline std::string text_at(const net::http::Response& response, const char* pointer) {
  const auto document = boost::json::parse(response.body);
  return std::string(document.at_pointer(pointer).as_string());
}

}  // namespace api_test
