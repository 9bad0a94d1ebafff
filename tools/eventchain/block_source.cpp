#include "tools/eventchain/block_source.h"

#include <fmt/format.h>

#include "chain/checkpoint.h"
#include "node/api/receipt_json.h"
#include "tools/eventchain/cluster_client.h"
#include "tools/eventchain/cold_reader.h"

namespace eventchain::tools {

namespace {

using State = SourceAnswer::State;

constexpr unsigned kNotFound = 404;
constexpr unsigned kConflict = 409;
constexpr unsigned kLightMember = 421;

class ClusterSource final : public BlockSource {
 public:
  explicit ClusterSource(const Session& session) : client_(session) {}

  SourceAnswer receipt(chain::Height height, const store::ReceiptShape& shape) override {
    std::string query;
    if (shape.end == store::ReceiptEnd::kNewest) query += "&certificate=newest";
    if (shape.log_size) query += fmt::format("&log_size={}", *shape.log_size);
    if (!query.empty()) query.front() = '?';
    return get(fmt::format("/v1/blocks/{}/receipt{}", height.value, query), State::kReceipt);
  }

  SourceAnswer newest(const store::ReceiptShape& shape) override {
    SourceAnswer note = get("/checkpoint", State::kCheckpoint);
    if (note.state != State::kCheckpoint) return note;
    const auto known = chain::parse_checkpoint(note.text);
    if (!known) return {State::kRefused, known.error().message};
    if (!known->head) return {State::kRefused, "its checkpoint bears no signatures"};
    SourceAnswer answer = receipt(known->head->block.height, shape);
    return is_light_ ? std::move(note) : std::move(answer);
  }

 private:
  SourceAnswer get(const std::string& target, State good) {
    HttpRequest request;
    request.target = target;
    const auto answer = client_.ask(request, std::chrono::seconds(30));
    if (!answer) return {State::kUnreachable, answer.error().message};
    if (answer->ok()) return {good, answer->body};
    is_light_ = answer->status == kLightMember;
    const bool is_early = answer->status == kNotFound || answer->status == kConflict;
    const bool is_unable = answer->status == 503 || answer->status == 504;
    return {is_early    ? State::kNotYet
            : is_unable ? State::kUnreachable
                        : State::kRefused,
            problem_text(*answer)};
  }

  ClusterClient client_;
  bool is_light_ = false;
};

class ColdSource final : public BlockSource {
 public:
  ColdSource(const std::string& data, const chain::Genesis& genesis) {
    reader_ = value_or_stop(ColdReader::open(data, genesis, 1));
    maker_.emplace(**reader_, genesis);
  }

  SourceAnswer receipt(chain::Height height, const store::ReceiptShape& shape) override {
    const auto made = maker_->make_of_block(height, shape);
    if (auto still = reader_->check_still(); !still)
      return {State::kUnreachable, still.error().message};
    if (!made) {
      const chain::ErrorCode code = made.error().code;
      const bool is_early =
          code == chain::ErrorCode::kUnavailable || code == chain::ErrorCode::kNotFound;
      return {is_early ? State::kNotYet : State::kRefused, made.error().message};
    }
    auto text = node::api::format_receipt(*made);
    if (!text) return {State::kRefused, text.error().message};
    return {State::kReceipt, std::move(*text)};
  }

  SourceAnswer newest(const store::ReceiptShape& shape) override {
    // The newest blocks may lack signatures; a thousand without are another problem.
    constexpr std::uint64_t kLookedBackMax = 1000;
    SourceAnswer answer{State::kNotYet, "it has no block but genesis"};
    const std::uint64_t tip = (*reader_)->tip().height.value;
    for (std::uint64_t back = 0; back < std::min(tip, kLookedBackMax); ++back) {
      answer = receipt(chain::Height{tip - back}, shape);
      if (answer.state != State::kNotYet) break;
    }
    return answer;
  }

 private:
  std::optional<ColdReader> reader_;
  std::optional<store::ReceiptMaker> maker_;
};

}  // namespace

std::unique_ptr<BlockSource> cluster_source(const Session& session) {
  return std::make_unique<ClusterSource>(session);
}

std::unique_ptr<BlockSource> cold_source(const std::string& data, const chain::Genesis& genesis) {
  return std::make_unique<ColdSource>(data, genesis);
}

}  // namespace eventchain::tools
