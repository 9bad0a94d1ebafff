#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "node/api/cloudevent_binary.h"
#include "node/api/cloudevent_json.h"
#include "node/api/handlers.h"
#include "node/api/outcome_json.h"

// POST: request -> held events -> the core -> answer. Parsing, salting and hashing happen here, on
// the server's thread, so that the core only ever sees events that obey every rule.
namespace eventchain::node::api {

using chain::ErrorCode;
using chain::Result;

namespace {

// What the path and query of POST /v1/streams/{stream} say about every event.
struct Placement {
  std::string stream;                    // empty: the events say it
  std::optional<std::int32_t> expected;  // of the first event; each further one expects one more
};

struct Batch {
  std::vector<chain::HeldEvent> events;
  bool is_batch = false;
};

Result<void> place(chain::Event& event, const Placement& placement, std::size_t index) {
  if (placement.stream.empty()) return {};
  if (const auto* own = event.find("stream");
      own != nullptr && *own != chain::AttributeValue(placement.stream))
    return chain::fail(ErrorCode::kInvalid,
                       "attribute 'stream' differs from the stream in the path; leave it out");
  event.set("stream", placement.stream);
  if (!placement.expected) return {};
  if (event.find("expectedversion") != nullptr)
    return chain::fail(ErrorCode::kInvalid,
                       "attribute 'expectedversion' and the query parameter are both there; send "
                       "one of them");
  const std::int64_t expected =
      std::int64_t{*placement.expected} + static_cast<std::int64_t>(index);
  if (expected > std::numeric_limits<std::int32_t>::max())
    return chain::fail(ErrorCode::kInvalid, "the expected version is beyond 32 bits");
  event.set("expectedversion", static_cast<std::int32_t>(expected));
  return {};
}

// Turns parsed events into held ones.
class Intake {
 public:
  Intake(Context& context, const Placement& placement) : context_(context), placement_(placement) {}

  Result<void> take(const chain::Event& event) {
    chain::Bytes body;
    if (placement_.stream.empty()) {
      body = chain::encode_body(event);
    } else {
      chain::Event placed = event;
      if (auto done = place(placed, placement_, events_.size()); !done) return done;
      if (placed.attributes.size() > chain::EventLimits::kAttributesMax)
        return chain::fail(ErrorCode::kTooLarge, "the event has too many attributes");
      body = chain::encode_body(placed);
    }
    auto held = chain::hold_event(context_.port.draw_salt(), std::move(body), context_.limits);
    if (!held) return tl::unexpected<chain::Error>(std::move(held.error()));
    events_.push_back(std::move(*held));
    return {};
  }
  std::vector<chain::HeldEvent> finish() { return std::move(events_); }

 private:
  Context& context_;
  const Placement& placement_;
  std::vector<chain::HeldEvent> events_;
};

constexpr std::string_view kOneEvent = "application/cloudevents+json";
constexpr std::string_view kManyEvents = "application/cloudevents-batch+json";

bool is_utf8_charset(std::string_view content_type) {
  constexpr std::string_view kName = "charset=";
  std::string text(content_type);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const std::size_t at = text.find(kName);
  if (at == std::string::npos) return true;
  const std::string value = text.substr(at + kName.size());
  return value.rfind("utf-8", 0) == 0 || value.rfind("\"utf-8\"", 0) == 0;
}

// False after having answered.
bool read_events(const CallPtr& call, net::http::Request& request, const Placement& placement,
                 Batch& batch) {
  const std::string_view content_type = request.header("content-type");
  const std::string type = media_type(content_type);
  Intake intake(*call->context, placement);
  const EventSink sink = [&](const chain::Event& event) { return intake.take(event); };
  Result<void> done;
  if (type == kOneEvent || type == kManyEvents) {
    if (!is_utf8_charset(content_type)) {
      call->answer(Problem::kUnsupportedMediaType, "the only known charset is utf-8");
      return false;
    }
    batch.is_batch = type == kManyEvents;
    if (batch.is_batch) {
      if (auto read = parse_batch(request.body, call->context->limits, sink); !read)
        done = tl::unexpected<chain::Error>(std::move(read.error()));
    } else {
      done = parse_event(request.body, call->context->limits, sink);
    }
  } else if (is_binary_mode(request)) {
    auto event = parse_binary(request);
    if (event)
      done = intake.take(*event);
    else
      done = tl::unexpected<chain::Error>(std::move(event.error()));
  } else {
    call->answer(
        Problem::kUnsupportedMediaType,
        fmt::format("send {}, {}, or ce- headers with the data as body", kOneEvent, kManyEvents));
    return false;
  }
  if (!done) {
    call->answer(problem_response(done.error()));
    return false;
  }
  batch.events = intake.finish();
  return true;
}

struct Waiting {
  WaitFor until = WaitFor::kDurable;
  std::chrono::seconds time{0};
};

// The `wait` preference of RFC 7240; what cannot be read is no preference.
std::chrono::seconds preferred_wait(const Call& call) {
  const auto& options = call.context->options;
  for (const net::http::Header& field : call.request.headers) {
    if (field.name != "prefer") continue;
    const std::string_view value = field.value;
    std::size_t at = 0;
    while (at < value.size()) {
      const std::size_t end = std::min(value.find_first_of(",;", at), value.size());
      std::string_view token = value.substr(at, end - at);
      at = end + 1;
      while (!token.empty() && token.front() == ' ') token.remove_prefix(1);
      while (!token.empty() && token.back() == ' ') token.remove_suffix(1);
      if (token.substr(0, 5) != "wait=") continue;
      if (const auto seconds = parse_number(token.substr(5)))
        return std::chrono::seconds(std::min<std::uint64_t>(
            *seconds, static_cast<std::uint64_t>(options.wait_max.count())));
    }
  }
  return options.wait_default;
}

// 201 is for what came as far as it was waited for.
int status_of_completed(const Waiting& waiting) {
  return waiting.until == WaitFor::kCompleted || waiting.until == WaitFor::kFinal ? 201 : 200;
}

std::optional<Waiting> read_waiting(const CallPtr& call) {
  Waiting waiting;
  waiting.time = preferred_wait(*call);
  const std::string_view word = call->parameter("wait").value_or("durable");
  if (word == "received") {
    waiting.until = WaitFor::kReceived;
  } else if (word == "completed") {
    waiting.until = WaitFor::kCompleted;
  } else if (word == "final") {
    waiting.until = WaitFor::kFinal;
  } else if (word != "durable") {
    call->answer(Problem::kMalformedRequest,
                 "query parameter 'wait' must be received, durable, completed or final");
    return std::nullopt;
  }
  return waiting;
}

// Where else the events can go, as far as the members tell.
void append_other_nodes(JsonText& document, const CallPtr& call, Problem problem) {
  if (problem != Problem::kDraining) return;
  store::ChainReader& reader = call->context->reader;
  const auto members = reader.members(reader.tip().height.next());
  if (!members) return;
  document.key("nodes").open_array();
  for (const chain::Member& member : (*members)->members)
    if (!member.api_address.empty() && member.node != call->context->options.self)
      document.text(member.api_address);
  document.close_array();
}

void answer_one(const CallPtr& call, const Answer& answer, const Waiting& waiting) {
  const EventOutcome& outcome = answer.outcomes.front();
  net::http::Response response;
  if (const auto problem = refusal_of(outcome)) {
    JsonText document = open_problem(*problem, explain(*problem, outcome));
    if (outcome.version) document.number("version", outcome.version->value);
    document.key("event");
    append_outcome(document, outcome, witnessed_size_of(*call->context));
    append_other_nodes(document, call, *problem);
    response = close_problem(*problem, std::move(document));
  } else {
    const bool is_over = outcome.state == EventOutcome::State::kCompleted && answer.reached;
    response.status = is_over ? status_of_completed(waiting) : 202;
    response.content_type = "application/json";
    JsonText document;
    append_outcome(document, outcome, witnessed_size_of(*call->context));
    response.body = document.take();
    response.headers.push_back({"Location", "/v1/events/" + to_hex(outcome.key)});
  }
  call->answer(std::move(response));
}

void answer_many(const CallPtr& call, const Answer& answer, const Waiting& waiting) {
  std::size_t refused = 0;
  std::size_t completed = 0;
  std::optional<Problem> gravest;
  const EventOutcome* worst = nullptr;
  for (const EventOutcome& outcome : answer.outcomes) {
    completed += outcome.state == EventOutcome::State::kCompleted ? 1 : 0;
    const auto problem = refusal_of(outcome);
    if (!problem) continue;
    ++refused;
    // The greater status is the graver one: 507 and 429 concern the node, 409 one event.
    if (gravest && status_of(*problem) <= status_of(*gravest)) continue;
    gravest = problem;
    worst = &outcome;
  }
  const std::size_t accepted = answer.outcomes.size() - refused;
  JsonText document;
  if (gravest) {
    const std::string detail =
        fmt::format("{} of {} events were refused and {} accepted; the gravest refusal: {}",
                    refused, answer.outcomes.size(), accepted, explain(*gravest, *worst));
    document = open_problem(*gravest, detail);
    if (worst->version) document.number("version", worst->version->value);
  } else {
    document.open_object();
  }
  document.reserve(160 * answer.outcomes.size() + 512);
  document.number("accepted", static_cast<std::int64_t>(accepted)).key("events").open_array();
  for (const EventOutcome& outcome : answer.outcomes)
    append_outcome(document, outcome, witnessed_size_of(*call->context));
  document.close_array();
  if (gravest) append_other_nodes(document, call, *gravest);
  if (gravest) return call->answer(close_problem(*gravest, std::move(document)));
  const bool is_over = completed == answer.outcomes.size() && answer.reached;
  const int status = is_over ? status_of_completed(waiting) : 202;
  document.close_object();
  call->answer_json(status, std::move(document));
}

void submit(const CallPtr& call, const Placement& placement) {
  const auto waiting = read_waiting(call);
  if (!waiting) return;
  Batch batch;
  // Its body, up to 16 MiB, must not wait for the answer.
  net::http::Request request = std::move(call->request);
  if (!read_events(call, request, placement, batch)) return;
  call->context->port.submit(std::move(batch.events), waiting->until, waiting->time,
                             [call, waiting = *waiting, is_batch = batch.is_batch](Answer answer) {
                               auto shared = std::make_shared<const Answer>(std::move(answer));
                               call->later([call, waiting, is_batch, shared] {
                                 if (is_batch)
                                   answer_many(call, *shared, waiting);
                                 else
                                   answer_one(call, *shared, waiting);
                               });
                             });
}

}  // namespace

void post_events(const CallPtr& call) {
  submit(call, {});
}

void post_stream(const CallPtr& call) {
  Placement placement;
  placement.stream = call->path[0];
  if (const auto text = call->parameter("expectedversion")) {
    const auto number = *text == "-1" ? std::optional<std::uint64_t>(0) : parse_number(*text);
    if (!number || *number > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max()))
      return call->answer(Problem::kMalformedRequest,
                          "query parameter 'expectedversion' must be an integer of at least -1");
    placement.expected = *text == "-1" ? -1 : static_cast<std::int32_t>(*number);
  }
  submit(call, placement);
}

}  // namespace eventchain::node::api
