#include <optional>
#include <utility>

#include "node/api/handlers.h"
#include "node/api/json_object.h"
#include "node/api/ordering.h"
#include "node/api/status_json.h"

// What this node lends of its host, and an operator's word on it. It concerns this node alone: no
// block has it, and it ends with the process.
namespace eventchain::node::api {

namespace {

void answer_report(const CallPtr& call, const mining::LendingReport* report) {
  JsonText document;
  append_lending(document, report);
  call->answer_json(200, std::move(document));
}

// What there is to order about; nullptr after having refused.
mining::Lending* take_lending(const CallPtr& call) {
  mining::Lending* const lending = call->context->options.lending;
  if (lending == nullptr)
    call->answer(Problem::kOrderRefused, "this node lends nothing: mining.threads is 0");
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
  const mining::LendingReport report = lending->report();
  answer_report(call, &report);
}

}  // namespace

void get_mining(const CallPtr& call) {
  const mining::Lending* const lending = call->context->options.lending;
  if (lending == nullptr) return answer_report(call, nullptr);
  const mining::LendingReport report = lending->report();
  answer_report(call, &report);
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
  const mining::LendingReport report = lending->report();
  answer_report(call, &report);
}

}  // namespace eventchain::node::api
