#include <optional>
#include <utility>

#include "node/api/handlers.h"
#include "node/api/json_object.h"
#include "node/api/ordering.h"

// What this node lends of its host, and an operator's word on it. It concerns this node alone: no
// block has it, and it ends with the process.
namespace eventchain::node::api {

namespace {

constexpr const char* kOff = "this node lends nothing: mining.threads is 0";

void answer_report(const CallPtr& call, const mining::LendingReport& report) {
  JsonText document;
  document.open_object()
      .text("state", to_string(report.state))
      .text("reason", report.is_there() ? to_string(report.reason) : to_string(report.state))
      .text("why", report.why)
      .boolean("paused", report.wish.pauses)
      .number("cap_percent", report.cap_percent);
  if (report.wish.limit_percent) document.number("limit_percent", *report.wish.limit_percent);
  document.number("processors", report.host.processors)
      .number("cores", report.host.cores)
      .boolean("isolated", report.host.is_isolated)
      .number("threads", report.threads);
  const std::pair<const char*, double> reals[] = {
      {"allowed", report.may_lend}, {"lent", report.lent},           {"others", report.others},
      {"stolen", report.stolen},    {"hash_rate", report.hash_rate},
  };
  for (const auto& [name, value] : reals) document.key(name).real(value);
  if (report.last_word_age) document.number("last_word_ms", report.last_word_age->count());
  document.big("hashes", report.hashes).close_object();
  call->answer_json(200, std::move(document));
}

// What there is to order about; nullptr after having refused.
mining::Lending* take_lending(const CallPtr& call) {
  mining::Lending* const lending = call->context->options.lending;
  if (lending == nullptr) call->answer(Problem::kOrderRefused, kOff);
  return lending;
}

void set_pause(const CallPtr& call, bool wants) {
  if (!take_operator(call)) return;
  const auto body = take_body(call);
  if (!body) return;
  JsonObject fields(*body, "the order");
  if (const auto finished = fields.finish(); !finished)
    return call->answer(Problem::kMalformedRequest, finished.error().message);
  mining::Lending* const lending = take_lending(call);
  if (lending == nullptr) return;
  lending->pause(wants);
  answer_report(call, lending->report());
}

}  // namespace

void get_mining(const CallPtr& call) {
  const mining::Lending* const lending = call->context->options.lending;
  if (lending != nullptr) return answer_report(call, lending->report());
  JsonText document;
  document.open_object().text("state", "off").text("why", kOff).close_object();
  call->answer_json(200, std::move(document));
}

void post_mining_pause(const CallPtr& call) {
  set_pause(call, true);
}

void post_mining_resume(const CallPtr& call) {
  set_pause(call, false);
}

void post_mining_limit(const CallPtr& call) {
  if (!take_operator(call)) return;
  const auto body = take_body(call);
  if (!body) return;
  JsonObject fields(*body, "the order");
  const std::int64_t percent = fields.integer("percent", 1, 100);
  if (const auto finished = fields.finish(); !finished)
    return call->answer(Problem::kMalformedRequest, finished.error().message);
  mining::Lending* const lending = take_lending(call);
  if (lending == nullptr) return;
  lending->limit(static_cast<unsigned>(percent));
  answer_report(call, lending->report());
}

}  // namespace eventchain::node::api
