#include "node/api/call.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>

namespace eventchain::node::api {

std::uint64_t witnessed_size_of(const Context& context) {
  const Witnesses* witnesses = context.options.witnesses;
  return witnesses == nullptr ? 0 : witnesses->witnessed_size();
}

Finality finality_of(const Context& context) {
  return {context.port.certified(), witnessed_size_of(context)};
}

chain::UnixMillis wall_now(const Context& context) {
  if (context.options.wall_clock) return context.options.wall_clock();
  using namespace std::chrono;
  return {system_clock::now().time_since_epoch() / milliseconds(1)};
}

std::vector<net::http::Header> Call::standing() const {
  const auto age = context->port.age();
  return {{"EventChain-Position", fmt::format("{}", context->log_size.load())},
          {"EventChain-Age", age ? fmt::format("{}", age->count()) : "unknown"}};
}

void Call::answer(net::http::Response response) const {
  response.label = label;
  for (auto& header : standing()) response.headers.push_back(std::move(header));
  responder->respond(std::move(response));
}

void Call::answer_json(int status, JsonText document) const {
  net::http::Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = document.take();
  answer(std::move(response));
}

std::optional<std::string_view> Call::parameter(std::string_view name) const {
  const auto found = query.find(name);
  if (found == query.end()) return std::nullopt;
  return std::string_view(found->second);
}

std::optional<chain::EventKey> event_key_of(const CallPtr& call) {
  const auto octets = chain::from_hex(call->path[0]);
  const auto key = octets ? chain::EventKey::from(*octets) : std::nullopt;
  if (!key)
    call->answer(Problem::kMalformedRequest,
                 "an event key has 32 lower-case hexadecimal digits; to look up by source and id "
                 "use /v1/events?source=..&id=..");
  return key;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return number;
}

chain::Result<Range> parse_range(const Call& call, std::size_t limit_default,
                                 std::size_t limit_max) {
  Range range;
  range.limit = limit_default;
  if (const auto from = call.parameter("from")) {
    const auto number = parse_number(*from);
    // Positions and versions are signed 64-bit numbers in the store.
    if (!number || *number > std::uint64_t{0x7fff'ffff'ffff'ffff})
      return chain::fail(chain::ErrorCode::kInvalid,
                         "query parameter 'from' must be a decimal number");
    range.from = *number;
  }
  if (const auto limit = call.parameter("limit")) {
    const auto number = parse_number(*limit);
    if (!number || *number < 1 || *number > limit_max)
      return chain::fail(
          chain::ErrorCode::kInvalid,
          fmt::format("query parameter 'limit' must be a number from 1 to {}", limit_max));
    range.limit = static_cast<std::size_t>(*number);
  }
  return range;
}

}  // namespace eventchain::node::api
