#include "tools/eventchain/receipt_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "chain/event.h"
#include "node/api/receipt_json.h"
#include "node/genesis_json.h"
#include "store/receipt_maker.h"
#include "tools/eventchain/cluster_client.h"
#include "tools/eventchain/cold_reader.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/side_by_side.h"

namespace eventchain::tools {

namespace json = boost::json;
using chain::ErrorCode;
using chain::Result;

namespace {

constexpr std::size_t kKeysPerQuestion = 1000;

std::vector<chain::EventKey> keys_of(const json::value& listed) {
  std::vector<chain::EventKey> keys;
  const json::value* events = find(listed, "events");
  if (events != nullptr && events->is_array())
    for (const json::value& event : events->get_array())
      keys.push_back(event_key_from(text_of(event, "key")));
  return keys;
}

class ClusterSource final : public ReceiptSource {
 public:
  ClusterSource(const Session& session, const ReceiptChoice& choice) : client_(session) {
    if (choice.newest) query_ += "&certificate=newest";
    if (choice.log_size) query_ += fmt::format("&log_size={}", *choice.log_size);
    if (!query_.empty()) query_.front() = '?';
  }

  std::vector<Result<std::string>> receipts(const std::vector<chain::EventKey>& keys) override {
    std::vector<Result<std::string>> answers;
    for (const chain::EventKey& key : keys) {
      HttpRequest request;
      request.target = "/v1/events/" + to_hex(key) + "/receipt" + query_;
      HttpResponse answer = value_or_stop(client_.ask(request, std::chrono::seconds(30)));
      if (answer.status == 409) {
        answers.emplace_back(chain::fail(ErrorCode::kUnavailable, problem_text(answer)));
        continue;
      }
      require_success(answer);
      answers.emplace_back(std::move(answer.body));
    }
    return answers;
  }

  std::vector<chain::EventKey> stream(const std::string& name, std::uint64_t from) override {
    std::string target = "/v1/streams/";
    for (const char c : name) {
      const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                            (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
      target += is_plain
                    ? std::string(1, c)
                    : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return keys_of(
        fetch_json(client_, fmt::format("{}?from={}&limit={}", target, from, kKeysPerQuestion)));
  }

  std::vector<chain::EventKey> log(std::uint64_t from) override {
    const json::value listed =
        fetch_json(client_, fmt::format("/v1/log?from={}&limit={}", from, kKeysPerQuestion));
    const json::value* events = find(listed, "events");
    if (events != nullptr && events->is_array())
      for (std::size_t i = 0; i < events->get_array().size(); ++i)
        if (number_of(events->get_array()[i], "position", ~std::uint64_t{0}) != from + i)
          throw CommandFailed{
              Exit::kError, fmt::format("the node leaves out position {}; ask another", from + i)};
    return keys_of(listed);
  }

  std::uint64_t log_size() override {
    const json::value tips = fetch_json(client_, "/v1/tips");
    const json::value* tip = find(tips, "canonical");
    return tip == nullptr ? 0 : number_of(*tip, "log_size");
  }

 private:
  ClusterClient client_;
  std::string query_;
};

class ColdSource final : public ReceiptSource {
 public:
  explicit ColdSource(const ReceiptChoice& choice)
      : choice_(choice), threads_(std::max(1U, std::thread::hardware_concurrency())) {
    const chain::Genesis genesis = value_or_stop(node::load_genesis(choice.genesis));
    reader_ = value_or_stop(ColdReader::open(choice.data, genesis, threads_));
    maker_.emplace(**reader_, genesis);
  }

  std::vector<Result<std::string>> receipts(const std::vector<chain::EventKey>& keys) override {
    std::vector<Result<std::string>> answers(keys.size());
    std::atomic<std::size_t> next{0};
    const auto many = static_cast<unsigned>(std::min<std::size_t>(threads_, keys.size()));
    side_by_side(
        many,
        [&] {
          for (std::size_t at = next++; at < keys.size(); at = next++) answers[at] = make(keys[at]);
        },
        [] {});
    value_or_stop(reader_->check_still());
    for (const auto& answer : answers)
      if (!answer && answer.error().code != ErrorCode::kUnavailable) stop(answer.error());
    return answers;
  }

  std::vector<chain::EventKey> stream(const std::string& name, std::uint64_t from) override {
    return keys_of(value_or_stop(reader_->checked((*reader_)->stream(
        chain::stream_key(name), chain::StreamVersion{static_cast<std::int64_t>(from)},
        kKeysPerQuestion))));
  }

  std::vector<chain::EventKey> log(std::uint64_t from) override {
    return keys_of(
        value_or_stop(reader_->checked((*reader_)->log(chain::Position{from}, kKeysPerQuestion))));
  }

  std::uint64_t log_size() override { return (*reader_)->tip().log_size; }

 private:
  static std::vector<chain::EventKey> keys_of(const std::vector<store::PlacedEvent>& events) {
    std::vector<chain::EventKey> keys;
    for (const store::PlacedEvent& placed : events) keys.push_back(placed.event.facts.key);
    return keys;
  }

  // On any thread.
  Result<std::string> make(const chain::EventKey& key) {
    const auto end = choice_.newest ? store::ReceiptEnd::kNewest : store::ReceiptEnd::kFirst;
    try {
      const auto made = maker_->make({key, {end, choice_.log_size}});
      if (!made) return tl::unexpected<chain::Error>(made.error());
      return node::api::format_receipt(*made);
    } catch (const store::StoreFailure& failure) {
      return chain::fail(ErrorCode::kIo, failure.what());
    }
  }

  const ReceiptChoice choice_;
  const unsigned threads_;
  std::optional<ColdReader> reader_;
  std::optional<store::ReceiptMaker> maker_;
};

}  // namespace

bool is_event_key(const std::string& text) {
  const auto octets = chain::from_hex(text);
  return octets && octets->size() == chain::EventKey::kSize;
}

chain::EventKey event_key_from(const std::string& text) {
  const auto octets = chain::from_hex(text);
  const auto key = octets ? chain::EventKey::from(*octets) : std::nullopt;
  if (!key)
    throw CommandFailed{Exit::kUsage, "'" + text + "' is no event key (32 lower-case hex digits)"};
  return *key;
}

std::unique_ptr<ReceiptSource> open_receipt_source(const Session& session,
                                                   const ReceiptChoice& choice) {
  if (choice.data.empty()) return std::make_unique<ClusterSource>(session, choice);
  if (choice.genesis.empty())
    throw CommandFailed{Exit::kUsage, "--data wants --genesis too: a database is read by its file"};
  return std::make_unique<ColdSource>(choice);
}

}  // namespace eventchain::tools
