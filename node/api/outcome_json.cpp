#include "node/api/outcome_json.h"

#include <fmt/format.h>

#include "chain/result.h"

namespace eventchain::node::api {

namespace {

// Of a completed event.
const char* detail_of(bool is_final, const std::optional<chain::Position>& position,
                      std::uint64_t witnessed_size) {
  if (position && position->value < witnessed_size) return "witnessed";
  return is_final ? "final" : "committed";
}

struct Words {
  const char* status;
  const char* detail;
};

Words words_of(const EventOutcome& outcome, std::uint64_t witnessed_size) {
  switch (outcome.state) {
    case EventOutcome::State::kReceived:
      return {"in-progress", "received"};
    case EventOutcome::State::kDurable:
      return {"in-progress", "durable"};
    case EventOutcome::State::kCompleted:
      return {"completed", detail_of(outcome.is_final, outcome.position, witnessed_size)};
    case EventOutcome::State::kRejected:
      return {"rejected", outcome.rejection ? name_of(*outcome.rejection) : "unknown"};
    case EventOutcome::State::kKeyConflict:
      return {"refused", "key-conflict"};
    case EventOutcome::State::kVersionConflict:
      return {"refused", "version-conflict"};
    case EventOutcome::State::kPoolFull:
      return {"refused", "pool-full"};
    case EventOutcome::State::kDiskFull:
      return {"refused", "disk-full"};
    case EventOutcome::State::kDraining:
      return {"refused", "draining"};
  }
  return {"refused", "unknown"};
}

void append_place(JsonText& out, const std::optional<chain::Position>& position,
                  const std::optional<chain::StreamVersion>& version,
                  const std::optional<chain::Height>& height) {
  if (position) out.big("position", position->value);
  if (version) out.number("version", version->value);
  if (height) out.big("height", height->value);
}

}  // namespace

const char* name_of(chain::RejectionReason reason) {
  switch (reason) {
    case chain::RejectionReason::kVersionConflict:
      return "version-conflict";
    case chain::RejectionReason::kExpectationExpired:
      return "expectation-expired";
    case chain::RejectionReason::kKeyTaken:
      return "key-conflict";
  }
  return "unknown";
}

void append_outcome(JsonText& out, const EventOutcome& outcome, std::uint64_t witnessed_size) {
  const Words words = words_of(outcome, witnessed_size);
  out.open_object()
      .text("key", to_hex(outcome.key))
      .text("status", words.status)
      .text("detail", words.detail);
  append_place(out, outcome.position, outcome.version, outcome.height);
  out.close_object();
}

void append_pending(JsonText& out, chain::PendingStage stage) {
  out.text("status", "in-progress")
      .text("detail", stage == chain::PendingStage::kDurable ? "durable" : "received");
}

void append_settled(JsonText& out, const store::EventLookup& lookup, const Finality& finality) {
  EC_ASSERT(lookup.state != store::EventLookup::State::kUnknown, "nothing to tell");
  if (lookup.state == store::EventLookup::State::kCompleted)
    out.text("status", "completed")
        .text("detail", detail_of(lookup.height && *lookup.height <= finality.certified,
                                  lookup.position, finality.witnessed_size));
  else
    out.text("status", "rejected")
        .text("detail", lookup.rejected ? name_of(*lookup.rejected) : "unknown");
  append_place(out, lookup.position, lookup.version, lookup.height);
}

std::optional<Problem> refusal_of(const EventOutcome& outcome) {
  switch (outcome.state) {
    case EventOutcome::State::kReceived:
    case EventOutcome::State::kDurable:
    case EventOutcome::State::kCompleted:
      return std::nullopt;
    case EventOutcome::State::kRejected:
      return outcome.rejection == chain::RejectionReason::kKeyTaken ? Problem::kKeyConflict
                                                                    : Problem::kVersionConflict;
    case EventOutcome::State::kKeyConflict:
      return Problem::kKeyConflict;
    case EventOutcome::State::kVersionConflict:
      return Problem::kVersionConflict;
    case EventOutcome::State::kPoolFull:
      return Problem::kPoolFull;
    case EventOutcome::State::kDiskFull:
      return Problem::kDiskFull;
    case EventOutcome::State::kDraining:
      return Problem::kDraining;
  }
  return Problem::kInternal;
}

std::string explain(Problem problem, const EventOutcome& outcome) {
  if (problem == Problem::kKeyConflict)
    return "the same source and id were used before with other content; what was accepted first "
           "stays, so give the new event an id of its own";
  if (problem == Problem::kPoolFull)
    return "the pool of waiting events is full; try again after a block was mined";
  if (problem == Problem::kDiskFull)
    return "the disk is nearly full and no events are taken in; free space or use another node";
  if (problem == Problem::kDraining)
    return "this node is to be stopped and takes in no new events; send them to another node";
  if (outcome.rejection == chain::RejectionReason::kExpectationExpired)
    return "the expected version was not reached in time; submit the missing events first";
  if (outcome.version && *outcome.version == chain::kEmptyStream)
    return "the stream has no events; read it again and decide anew";
  if (outcome.version)
    return fmt::format("the stream stands at version {}; read it again and decide anew",
                       outcome.version->value);
  return "the stream stands at another version; read it again and decide anew";
}

}  // namespace eventchain::node::api
