#include "tools/eventchain/drain.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <thread>

#include <fmt/format.h>

#include "tools/eventchain/cluster_client.h"
#include "tools/eventchain/json_text.h"

namespace eventchain::tools {

namespace json = boost::json;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kPollPause{200};
constexpr milliseconds kAskTimeout{3'000};

Session only(const Session& session, const std::string& endpoint) {
  Session alone = session;
  alone.endpoints = {endpoint};
  return alone;
}

std::string first_endpoint(const Session& session) {
  if (session.endpoints.empty())
    throw CommandFailed{Exit::kUsage, "no endpoint; give --endpoint or set EVENTCHAIN_ENDPOINT"};
  return session.endpoints.front();
}

// What the node there says of itself; nothing if it does not answer.
json::value ask_status(const Session& session, const std::string& endpoint) {
  ClusterClient client(only(session, endpoint));
  HttpRequest request;
  request.target = "/v1/cluster";
  const auto answer = client.ask(request, kAskTimeout);
  if (!answer || !answer->ok()) return nullptr;
  return parse_json(answer->body, "the answer of " + endpoint).value_or(json::value(nullptr));
}

std::string described(const json::value& drain) {
  const std::string state = text_of(drain, "state");
  if (state == "none") return "does not drain";
  if (state == "drained") return "has drained and may be stopped";
  return fmt::format("drains: {} events and {} requests are left", text_of(drain, "events"),
                     text_of(drain, "requests"));
}

struct DrainOptions {
  bool undoes = false;
  bool waits = false;
  unsigned seconds = 60;
};

void drain(Session& session, const DrainOptions& options) {
  const std::string endpoint = first_endpoint(session);
  json::value answer = set_drain(session, endpoint, !options.undoes);
  if (options.waits && !options.undoes &&
      !wait_drained(session, endpoint, std::chrono::seconds(options.seconds)))
    session.exit = Exit::kNotYet;
  if (options.waits && !options.undoes) {
    const json::value status = ask_status(session, endpoint);
    if (const json::value* latest = find(status, "drain")) answer = *latest;
  }
  if (session.as_json) return fmt::print("{}", pretty(answer));
  fmt::print("the node at {} {}\n", endpoint, described(answer));
}

}  // namespace

json::value set_drain(const Session& session, const std::string& endpoint, bool wants) {
  ClusterClient client(only(session, endpoint));
  const json::value body = json::object();
  return give_order(client, wants ? "POST" : "DELETE", "/v1/node/drain", wants ? &body : nullptr);
}

bool wait_drained(const Session& session, const std::string& endpoint, std::chrono::seconds time) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  for (;;) {
    const json::value status = ask_status(session, endpoint);
    const json::value* drain = find(status, "drain");
    if (drain != nullptr && text_of(*drain, "state") == "drained") return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kPollPause);
  }
}

std::optional<std::string> find_endpoint(const Session& session, const json::value& member) {
  std::vector<std::string> endpoints = session.endpoints;
  const std::string address = text_of(member, "api_address");
  if (!address.empty() && !endpoints.empty()) {
    const bool is_tls = endpoints.front().starts_with("https:");
    endpoints.push_back((is_tls ? "https://" : "http://") + address);
  }
  for (const std::string& endpoint : endpoints) {
    const json::value status = ask_status(session, endpoint);
    if (!status.is_null() && text_of(status, "node") == text_of(member, "node")) return endpoint;
  }
  return std::nullopt;
}

void add_drain_command(CLI::App& node, Session& session) {
  const auto options = std::make_shared<DrainOptions>();
  CLI::App* command = node.add_subcommand(
      "drain", "prepare the node at the first endpoint for being stopped: no new events, no lead");
  command->add_flag("--undo", options->undoes, "let it take in events again");
  command->add_flag("--wait", options->waits, "until it has drained; exit code 4 if it has not");
  command->add_option("--seconds", options->seconds, "how long to wait")->capture_default_str();
  command->callback([&session, options] { drain(session, *options); });
}

}  // namespace eventchain::tools
