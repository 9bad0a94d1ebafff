#include "tools/eventchain/cluster_client.h"

#include <fmt/format.h>

#include "tools/eventchain/json_text.h"

namespace eventchain::tools {

using chain::Result;

ClusterClient::ClusterClient(const Session& session, std::size_t first) {
  std::shared_ptr<const TlsContext> tls;
  for (const std::string& text : session.endpoints) {
    const Endpoint endpoint = value_or_stop(parse_endpoint(text));
    if (endpoint.tls && tls == nullptr) tls = value_or_stop(make_tls_context(session.tls));
    connections_.emplace_back(endpoint, tls);
  }
  if (connections_.empty())
    throw CommandFailed{Exit::kUsage, "no endpoint; give --endpoint or set EVENTCHAIN_ENDPOINT"};
  current_ = first % connections_.size();
}

void ClusterClient::turn() {
  current_ = (current_ + 1) % connections_.size();
}

Result<HttpResponse> ClusterClient::ask(const HttpRequest& request,
                                        std::chrono::milliseconds timeout) {
  Result<HttpResponse> answer =
      chain::fail(chain::ErrorCode::kUnavailable, "no endpoint was asked");
  for (std::size_t tries = 0; tries < connections_.size(); ++tries) {
    Result<HttpResponse> latest = connections_[current_].exchange(request, timeout);
    const bool has_answer = latest.has_value();
    if (has_answer && latest->status != 503) return latest;
    // An answer that says why is worth more than a later connection that just failed.
    if (has_answer || !answer) answer = std::move(latest);
    turn();
  }
  return answer;
}

Result<HttpResponse> ClusterClient::ask_once(const HttpRequest& request,
                                             std::chrono::milliseconds timeout) {
  // On a connection that was idle the request might be sent again.
  connections_[current_].close();
  return connections_[current_].exchange(request, timeout);
}

std::string problem_text(const HttpResponse& response) {
  const Result<boost::json::value> parsed = parse_json(response.body, "the answer");
  const std::string title = parsed ? text_of(*parsed, "title") : std::string();
  const std::string detail = parsed ? text_of(*parsed, "detail") : std::string();
  if (title.empty() && detail.empty())
    return fmt::format("the node answered {}: {}", response.status, response.body.substr(0, 200));
  return fmt::format("{}{}{} ({})", title, title.empty() || detail.empty() ? "" : ": ", detail,
                     response.status);
}

void require_success(const HttpResponse& response) {
  if (response.ok()) return;
  const bool no_quorum = response.status == 503 || response.status == 504;
  throw CommandFailed{no_quorum ? Exit::kUnreachable : Exit::kError, problem_text(response)};
}

std::string fetch_text(ClusterClient& client, const std::string& target) {
  constexpr std::chrono::milliseconds kTimeout{10'000};
  HttpRequest request;
  request.target = target;
  HttpResponse answer = value_or_stop(client.ask(request, kTimeout));
  require_success(answer);
  return std::move(answer.body);
}

boost::json::value fetch_json(ClusterClient& client, const std::string& target) {
  return value_or_stop(parse_json(fetch_text(client, target), "the answer"));
}

boost::json::value give_order(ClusterClient& client, const std::string& method,
                              const std::string& target, const boost::json::value* body) {
  // The node gives up after 30 s, and a certificate may take another 10.
  constexpr std::chrono::milliseconds kTimeout{60'000};
  const std::string text = body == nullptr ? std::string() : boost::json::serialize(*body);
  HttpRequest request;
  request.method = method;
  request.target = target;
  if (body != nullptr) request.content_type = "application/json";
  request.body = text;
  const Result<HttpResponse> answer = client.ask_once(request, kTimeout);
  if (!answer)
    throw CommandFailed{
        Exit::kUnreachable,
        answer.error().message + "; it may or may not have been carried out: see cluster members"};
  if (answer->status == 503) {
    const Result<boost::json::value> problem = parse_json(answer->body, "the answer");
    if (problem && text_of(*problem, "type").ends_with(":not-now"))
      throw CommandFailed{Exit::kNotYet, problem_text(*answer)};
  }
  require_success(*answer);
  return value_or_stop(parse_json(answer->body, "the answer"));
}

}  // namespace eventchain::tools
