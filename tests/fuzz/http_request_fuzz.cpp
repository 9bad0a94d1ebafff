// Octets as HTTP requests, fed in pieces: never a crash, limits kept, and the pieces do not matter.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "net/http/request_parser.h"

namespace {

using namespace eventchain::net::http;

void demand(bool condition) {
  if (!condition) std::abort();
}

struct Outcome {
  std::vector<std::string> requests;
  bool is_refused = false;
};

// As a connection does it: what was not consumed is offered again with more behind it.
Outcome read(std::string_view octets, std::size_t piece, const Limits& limits) {
  Outcome outcome;
  RequestParser parser(limits);
  std::size_t begin = 0;
  std::size_t end = 0;
  while (end < octets.size()) {
    end = std::min(octets.size(), end + piece);
    for (;;) {
      const auto progress = parser.feed(octets.substr(begin, end - begin));
      demand(progress.consumed <= end - begin);
      begin += progress.consumed;
      demand(parser.body_size() <= limits.body_bytes_max);
      if (progress.step == RequestParser::Step::kNeedMore) break;
      if (progress.step == RequestParser::Step::kHeaderDone) continue;
      if (progress.step == RequestParser::Step::kFailed) {
        demand(parser.refusal().status >= 400);
        outcome.is_refused = true;
        return outcome;
      }
      const Request request = parser.take();
      std::string all = request.method + " " + request.target + "\n" + request.body;
      for (const Header& field : request.headers) all += "\n" + field.name + ": " + field.value;
      outcome.requests.push_back(std::move(all));
      parser.reset();
    }
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(octets) + 1, size - 1);
  Limits limits;
  limits.header_bytes_max = 512;
  limits.body_bytes_max = 256;
  const Outcome whole = read(text, text.size() + 1, limits);
  const Outcome pieces = read(text, 1 + octets[0] % 64, limits);
  // A refusal may come sooner when more is seen at once, but no request is read differently.
  const std::size_t both = std::min(whole.requests.size(), pieces.requests.size());
  for (std::size_t i = 0; i < both; ++i) demand(whole.requests[i] == pieces.requests[i]);
  if (!whole.is_refused && !pieces.is_refused)
    demand(whole.requests.size() == pieces.requests.size());
  return 0;
}
