#include <fmt/format.h>

#include "node/api/handlers.h"
#include "node/api/work_proof_json.h"
#include "store/work_proof_maker.h"

namespace eventchain::node::api {

namespace {

// A proof is made on a server's thread, where it must not take seconds. Who wants more makes it of
// a copy of the data.
constexpr std::uint16_t kServedBitsMax = 64;
constexpr std::uint16_t kServedLastMax = 1024;
static_assert(kServedBitsMax <= chain::kSamplingBitsMax);
static_assert(kServedLastMax <= chain::kSamplingLastMax);

// A query parameter; `otherwise` if it is absent, nullopt if it is not a number from `low` to
// `high`.
std::optional<std::uint16_t> number_of(const CallPtr& call, std::string_view name,
                                       std::uint16_t low, std::uint16_t high,
                                       std::uint16_t otherwise) {
  const auto given = call->parameter(name);
  if (!given) return otherwise;
  const auto number = parse_number(*given);
  if (!number || *number < low || *number > high) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

// nullopt after having answered.
std::optional<chain::WorkSampling> sampling_of(const CallPtr& call) {
  const chain::WorkSampling usual;
  const auto percent =
      number_of(call, "percent", 1, 99, static_cast<std::uint16_t>(chain::percent_of(usual.share)));
  const auto share = percent ? chain::work_share_of(*percent) : std::nullopt;
  const auto bits = number_of(call, "bits", 1, kServedBitsMax, usual.bits);
  const auto last = number_of(call, "last", 1, kServedLastMax, usual.last);
  if (share && bits && last) return chain::WorkSampling{*share, *bits, *last};
  call->answer(Problem::kMalformedRequest,
               fmt::format("query parameter 'percent' must be 50, 75 or 90, 'bits' 1 to {} and "
                           "'last' 1 to {}",
                           kServedBitsMax, kServedLastMax));
  return std::nullopt;
}

}  // namespace

void get_work_proof(const CallPtr& call) {
  const auto sampling = sampling_of(call);
  if (!sampling) return;
  const Context& context = *call->context;
  const auto proof = store::WorkProofMaker(context.reader, context.options.genesis).make(*sampling);
  if (!proof && proof.error().code == chain::ErrorCode::kInvalid)
    return call->answer(Problem::kNotFound, proof.error().message);
  if (!proof && proof.error().code == chain::ErrorCode::kUnavailable)
    return call->answer(Problem::kNotYet, proof.error().message);
  if (!proof) return call->answer(problem_response(proof.error()));
  auto text = format_work_proof(*proof);
  if (!text) return call->answer(problem_response(text.error()));
  net::http::Response response;
  response.content_type = "application/json";
  response.body = std::move(*text);
  call->answer(std::move(response));
}

}  // namespace eventchain::node::api
