#include <fmt/format.h>

#include "node/api/handlers.h"

namespace eventchain::node::api {

namespace {

// Proofs are made one after the other. Who wants more makes it of a copy of the data.
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

void answer_proof(const Call& call, const chain::Result<std::string>& proof) {
  if (!proof && proof.error().code == chain::ErrorCode::kInvalid)
    return call.answer(Problem::kNotFound, proof.error().message);
  if (!proof && proof.error().code == chain::ErrorCode::kUnavailable)
    return call.answer(Problem::kNotYet, proof.error().message);
  if (!proof) return call.answer(problem_response(proof.error()));
  net::http::Response response;
  response.content_type = "application/json";
  response.body = *proof;
  call.answer(std::move(response));
}

}  // namespace

void get_work_proof(const CallPtr& call) {
  const auto sampling = sampling_of(call);
  if (!sampling) return;
  const bool is_taken =
      call->context->work_proofs.make(*sampling, [call](const chain::Result<std::string>& proof) {
        call->later([call, proof] { answer_proof(*call, proof); });
      });
  if (!is_taken)
    call->answer(Problem::kNotReady,
                 "too many work proofs are being made here; try again, or ask another node");
}

}  // namespace eventchain::node::api
