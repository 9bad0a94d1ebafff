#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "node/api/api.h"

// A node and a client without sockets, threads or a store: what the API does is all there is.
namespace api_test {

using namespace eventchain;

// Answers from a list that the test fills; remembers what it was asked.
class FakePort final : public node::NodePort {
 public:
  void submit(std::vector<chain::HeldEvent> events, node::WaitFor wait,
              std::chrono::milliseconds timeout, std::function<void(node::Answer)> done) override {
    submitted = std::move(events);
    waited_for = wait;
    waited = timeout;
    ++submits;
    node::Answer answer;
    answer.reached = reached;
    for (std::size_t i = 0; i < submitted.size(); ++i) {
      node::EventOutcome outcome;
      outcome.state = node::EventOutcome::State::kDurable;
      if (i < outcomes.size()) outcome = outcomes[i];
      outcome.key = submitted[i].facts.key;
      answer.outcomes.push_back(outcome);
    }
    done(std::move(answer));
  }
  void ask_pending(const chain::EventKey&,
                   std::function<void(std::optional<node::PendingLookup>)> done) override {
    if (before_pending) before_pending();
    done(pending);
  }
  void order(net::Order order, std::chrono::milliseconds,
             std::function<void(node::OrderAnswer)> done) override {
    orders.push_back(std::move(order));
    done(order_answer);
  }
  void drain(bool wants) override {
    status.drain.reset();
    if (wants) status.drain = drain_status;
  }
  void ask_read(std::chrono::milliseconds, std::function<void(bool)> done) override {
    ++reads;
    if (before_read) before_read();
    if (!is_mute) done(may_read);
  }
  [[nodiscard]] std::optional<std::chrono::milliseconds> age() const override { return how_old; }
  [[nodiscard]] chain::Height certified() const override { return final_height; }
  void ask_status(std::function<void(node::NodeStatus)> done) override { done(status); }
  std::uint64_t subscribe(std::function<void(const node::TipMoved&)> on_tip) override {
    subscribers[++last] = std::move(on_tip);
    return last;
  }
  void unsubscribe(std::uint64_t subscription) override { subscribers.erase(subscription); }
  chain::Salt draw_salt() override {
    chain::Salt salt;
    salt.octets[0] = ++salts;
    return salt;
  }
  void commit(std::uint64_t log_size) {
    node::TipMoved tip;
    tip.log_size = log_size;
    const auto told = subscribers;
    for (const auto& [id, on_tip] : told) on_tip(tip);
  }

  std::vector<node::EventOutcome> outcomes;
  bool reached = true;
  std::optional<node::PendingLookup> pending;
  std::function<void()> before_pending;
  chain::Height final_height;
  std::atomic<int> reads{0};
  std::vector<net::Order> orders;
  node::OrderAnswer order_answer;
  bool may_read = true;
  bool is_mute = false;  // who asks to read is never answered
  std::function<void()> before_read;
  std::optional<std::chrono::milliseconds> how_old;
  node::NodeStatus status;
  node::DrainStatus drain_status;  // once it drains
  std::vector<chain::HeldEvent> submitted;
  node::WaitFor waited_for = node::WaitFor::kReceived;
  std::chrono::milliseconds waited{0};
  int submits = 0;
  std::map<std::uint64_t, std::function<void(const node::TipMoved&)>> subscribers;
  std::uint64_t last = 0;
  std::uint8_t salts = 0;
};

inline chain::Genesis sample_genesis() {
  chain::Genesis genesis;
  genesis.name = "test";
  genesis.trust_domain = "test";
  genesis.first_target.bits = 0x1e0fffff;
  genesis.easiest_target.bits = 0x207fffff;
  chain::Member member;
  member.node.octets[0] = 7;
  member.signing_key.octets[0] = 9;
  member.store.octets[0] = 8;
  member.name = "n1";
  genesis.voters.push_back(member);
  return genesis;
}

class FakeReader final : public store::ChainReader {
 public:
  store::TipInfo tip() override { return tip_info; }
  chain::Result<store::EventLookup> event(const chain::EventKey& key) override {
    const auto found = lookups.find(key);
    return found == lookups.end() ? store::EventLookup{} : found->second;
  }
  chain::Result<std::vector<store::PlacedEvent>> stream(const chain::StreamKey& stream,
                                                        chain::StreamVersion from,
                                                        std::size_t limit) override {
    std::vector<store::PlacedEvent> events;
    for (const auto& placed : placed_events)
      if (placed.event.facts.stream == stream && placed.version >= from && events.size() < limit)
        events.push_back(placed);
    return events;
  }
  chain::StreamVersion stream_version(const chain::StreamKey& stream) override {
    chain::StreamVersion version = chain::kEmptyStream;
    for (const auto& placed : placed_events)
      if (placed.event.facts.stream == stream) version = placed.version;
    return version;
  }
  chain::Result<std::vector<store::PlacedEvent>> log(chain::Position from,
                                                     std::size_t limit) override {
    ++log_reads;
    if (is_damaged) return chain::fail(chain::ErrorCode::kCorrupt, "position 0 is damaged");
    std::vector<store::PlacedEvent> events;
    for (std::size_t at = from.value; at < placed_events.size() && events.size() < limit; ++at)
      events.push_back(placed_events[at]);
    return events;
  }
  chain::Result<store::StoredBlock> block(chain::Height height) override {
    const auto found = blocks.find(height);
    if (found == blocks.end()) return chain::fail(chain::ErrorCode::kNotFound, "no such block");
    return found->second;
  }
  chain::Result<std::vector<chain::SealedHeader>> headers(chain::Height from,
                                                          std::size_t limit) override {
    std::vector<chain::SealedHeader> found;
    for (const auto& [height, stored] : blocks)
      if (height >= from && found.size() < limit) found.push_back(stored.block.sealed);
    return found;
  }
  std::vector<store::StaleBlock> stale() override { return stale_blocks; }
  chain::Result<chain::MembersRef> members(chain::Height) override {
    return std::make_shared<const chain::MemberSet>(member_set);
  }
  chain::Certificate certificate(chain::Height) override { return signatures; }
  chain::Result<chain::Hash> tree_hash(std::uint8_t level, std::uint64_t index) override {
    const auto found = tree.find({level, index});
    if (found == tree.end()) return chain::fail(chain::ErrorCode::kCorrupt, "no such hash");
    return found->second;
  }
  chain::Result<chain::HistoryNode> history_node(std::uint64_t) override {
    return chain::fail(chain::ErrorCode::kNotFound, "no such node");
  }
  std::vector<chain::Height> member_changes() override { return {}; }
  std::optional<chain::Height> next_signed(chain::Height) override { return std::nullopt; }

  // Places an event at the end of the log.
  void place(const chain::Event& event) {
    auto held = chain::hold_event({}, chain::encode_body(event), {});
    REQUIRE(held.has_value());
    store::PlacedEvent placed;
    placed.version = stream_version(held->facts.stream).next();
    placed.position = chain::Position{placed_events.size()};
    placed.height = chain::Height{1};
    store::EventLookup lookup;
    lookup.state = store::EventLookup::State::kCompleted;
    lookup.event = *held;
    lookup.position = placed.position;
    lookup.version = placed.version;
    lookup.height = placed.height;
    lookups[held->facts.key] = lookup;
    placed.event = std::move(*held);
    placed_events.push_back(std::move(placed));
  }

  store::TipInfo tip_info;
  chain::MemberSet member_set = chain::first_members(sample_genesis());
  std::map<chain::EventKey, store::EventLookup> lookups;
  std::vector<store::PlacedEvent> placed_events;
  std::map<chain::Height, store::StoredBlock> blocks;
  std::vector<store::StaleBlock> stale_blocks;
  chain::Certificate signatures;
  std::map<std::pair<std::uint8_t, std::uint64_t>, chain::Hash> tree;
  bool is_damaged = false;
  std::size_t log_reads = 0;
};

// A client that takes what it is sent; posted work waits until run().
class FakeClient final : public net::http::Responder {
 public:
  void respond(net::http::Response response) override {
    ++answers;
    answer = std::move(response);
  }
  void start_stream(net::http::StreamHead head) override { stream = std::move(head); }
  bool send(std::string_view chunk) override {
    if (!open || sent.size() > room) return false;
    sent.append(chunk);
    return true;
  }
  void close() override { hang_up(); }
  [[nodiscard]] bool is_open() const override { return open; }
  void post(std::function<void()> work) override { posted.push_back(std::move(work)); }

  void run() {
    while (!posted.empty()) {
      const auto work = std::move(posted.front());
      posted.pop_front();
      work();
    }
  }
  void hang_up() {
    open = false;
    if (const auto over = std::move(stream); over.on_closed) over.on_closed();
    stream = {};
  }

  net::http::Response answer;
  int answers = 0;
  net::http::StreamHead stream;
  std::string sent;
  std::size_t room = std::size_t{1} << 30;
  bool open = true;
  std::deque<std::function<void()>> posted;
};

inline std::string header_of(const net::http::Response& response, std::string_view name) {
  for (const auto& field : response.headers)
    if (field.name == name) return field.value;
  return {};
}

inline chain::Event sample_event(std::string id, std::string subject = {}) {
  chain::Event event;
  event.set("id", std::move(id));
  event.set("source", "/test");
  event.set("type", "test.happened");
  if (!subject.empty()) event.set("subject", std::move(subject));
  event.data_kind = chain::DataKind::kJson;
  event.data = R"({"n": 1.0})";
  return event;
}

// The API over the fakes.
struct Fixture {
  explicit Fixture(node::api::ApiOptions options = {}) {
    options.genesis = sample_genesis();
    api = std::make_unique<node::api::Api>(std::move(options), port, reader);
  }

  std::shared_ptr<FakeClient> send(net::http::Request request) {
    auto client = std::make_shared<FakeClient>();
    api->handle(std::move(request), client);
    client->run();
    return client;
  }
  net::http::Response get(std::string target) {
    net::http::Request request;
    request.method = "GET";
    request.target = std::move(target);
    const auto client = send(std::move(request));
    CHECK(client->answers == 1);
    return client->answer;
  }
  net::http::Response post(std::string target, std::string content_type, std::string body,
                           std::vector<net::http::Header> headers = {}) {
    net::http::Request request;
    request.method = "POST";
    request.target = std::move(target);
    request.headers = std::move(headers);
    if (!content_type.empty()) request.headers.push_back({"content-type", std::move(content_type)});
    request.body = std::move(body);
    return ask(std::move(request));
  }
  // An order in JSON, from the client of that certificate.
  net::http::Response order(std::string method, std::string target, std::string body,
                            std::string principal = {}) {
    net::http::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.headers.push_back({"content-type", "application/json"});
    request.body = std::move(body);
    request.principal = std::move(principal);
    return ask(std::move(request));
  }
  net::http::Response ask(net::http::Request request) {
    const auto client = send(std::move(request));
    CHECK(client->answers == 1);
    return client->answer;
  }
  net::http::Response post_event(const std::string& target, std::string body) {
    return post(target, "application/cloudevents+json", std::move(body));
  }
  net::http::Response post_batch(const std::string& target, std::string body) {
    return post(target, "application/cloudevents-batch+json; charset=UTF-8", std::move(body));
  }

  FakePort port;
  FakeReader reader;
  std::unique_ptr<node::api::Api> api;
};

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace api_test
