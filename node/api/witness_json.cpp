#include "node/api/witness_json.h"

#include <limits>

namespace eventchain::node::api {

namespace {

// A witness may have any clock.
std::string time_text(chain::UnixSeconds time) {
  constexpr std::int64_t kSecondsMax = std::numeric_limits<std::int64_t>::max() / 1000;
  return time.value > kSecondsMax ? std::to_string(time.value)
                                  : rfc3339(chain::UnixMillis{time.value * 1000});
}

void append_witness(JsonText& out, const WitnessReport& witness) {
  out.open_object()
      .text("name", witness.name)
      .text("url", witness.url)
      .text("condition", to_string(witness.condition))
      .boolean("alarm", is_alarm(witness.condition));
  if (!witness.problem.empty()) out.text("problem", witness.problem);
  if (witness.time) out.big("log_size", witness.size).text("cosigned_at", time_text(*witness.time));
  out.big("cosigned", witness.cosigned).big("failed", witness.failed).close_object();
}

}  // namespace

void append_witnesses(JsonText& out, const WitnessesReport& report) {
  out.open_object().number("quorum", static_cast<std::int64_t>(report.quorum));
  out.big("log_size", report.size);
  if (report.seen) out.text("witnessed_at", rfc3339(*report.seen));
  if (!report.alarm.empty()) out.text("alarm", report.alarm);
  if (!report.failure.empty()) out.text("failure", report.failure);
  out.key("nodes").open_array();
  for (const WitnessReport& one : report.witnesses) append_witness(out, one);
  out.close_array().close_object();
}

void append_cosigner(JsonText& out, const CosignerReport& report) {
  out.open_object().key("logs").open_array();
  for (const CosignerReport::Log& log : report.logs)
    out.open_object().text("origin", log.origin).big("log_size", log.size).close_object();
  out.close_array()
      .big("cosigned", report.cosigned)
      .big("contradictions", report.contradictions)
      .big("unproven", report.unproven)
      .big("refused", report.refused);
  if (!report.failure.empty()) out.text("failure", report.failure);
  out.close_object();
}

}  // namespace eventchain::node::api
