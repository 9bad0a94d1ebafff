#include "tools/bench/request.h"

#include <fmt/format.h>

#include "chain/result.h"

namespace eventchain::bench {

namespace {

constexpr std::size_t kSequenceDigits = 10;
constexpr std::size_t kStreamDigits = 6;

void write_digits(char* at, std::size_t digits, std::uint64_t number) {
  for (char* digit = at + digits; digit != at; number /= 10)
    *--digit = static_cast<char>('0' + number % 10);
}

}  // namespace

EventRequest::EventRequest(const RequestPlan& plan) : streams_(plan.streams) {
  EC_ASSERT(plan.event_bytes >= kEventBytesMin && plan.batch > 0 && plan.streams > 0,
            "checked where the options are read");
  const std::string id = fmt::format("{:012x}-{:03}-", plan.session, plan.connection);
  const std::string sequence(kSequenceDigits, '0');
  const std::string stream(kStreamDigits, '0');
  const bool is_batch = plan.batch > 1;
  std::string body = is_batch ? "[" : "";
  for (std::size_t i = 0; i < plan.batch; ++i) {
    if (i > 0) body += ",";
    const std::size_t begin = body.size();
    body += R"({"specversion":"1.0","id":")" + id;
    ids_.push_back(body.size());
    body += sequence + R"(","source":"/bench","type":"org.example.reading","stream":"s)";
    stream_names_.push_back(body.size());
    body += stream + R"(","time":"2025-01-31T12:00:00.000Z","data":{"value":12.5,"note":")";
    const std::size_t used = body.size() - begin + 3;
    body += std::string(plan.event_bytes > used ? plan.event_bytes - used : 0, 'x') + "\"}}";
  }
  if (is_batch) body += "]";
  bytes_ = fmt::format(
      "POST /v1/events?wait={} HTTP/1.1\r\nHost: localhost\r\n"
      "Content-Type: application/cloudevents{}+json\r\nContent-Length: {}\r\n\r\n",
      plan.wait, is_batch ? "-batch" : "", body.size());
  for (auto& at : ids_) at += bytes_.size();
  for (auto& at : stream_names_) at += bytes_.size();
  bytes_ += body;
}

std::string_view EventRequest::next() {
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    write_digits(bytes_.data() + ids_[i], kSequenceDigits, sequence_);
    write_digits(bytes_.data() + stream_names_[i], kStreamDigits, sequence_ % streams_);
    ++sequence_;
  }
  return bytes_;
}

}  // namespace eventchain::bench
