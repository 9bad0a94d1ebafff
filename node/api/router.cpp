#include "node/api/router.h"

#include <fmt/format.h>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>

#include "node/api/handlers.h"
#include "node/api/json_scan.h"

namespace eventchain::node::api {

const std::vector<Route>& routes() {
  static const std::vector<Route> table = {
      {"POST", "/v1/events", "post_events", post_events, {"wait"}},
      {"GET", "/v1/events", "find_event", find_event, {"source", "id"}, true},
      {"GET", "/v1/events/{key}", "get_event", get_event, {}, true},
      {"GET", "/v1/events/{key}/status", "get_event_status", get_event_status, {}, true},
      {"GET",
       "/v1/events/{key}/receipt",
       "get_event_receipt",
       get_event_receipt,
       {"certificate", "log_size"},
       true},
      {"POST", "/v1/streams/{stream}", "post_stream", post_stream, {"wait", "expectedversion"}},
      {"GET", "/v1/streams/{stream}", "get_stream", get_stream, {"from", "limit"}, true},
      {"GET", "/v1/log", "get_log", get_log, {"from", "limit"}, true},
      {"GET", "/v1/blocks/{height}", "get_block", get_block, {}, true},
      {"GET",
       "/v1/blocks/{height}/receipt",
       "get_block_receipt",
       get_block_receipt,
       {"certificate", "log_size"},
       true},
      {"GET", "/v1/headers", "get_headers", get_headers, {"from", "limit"}, true, true},
      {"GET", "/v1/tips", "get_tips", get_tips, {}, false, true},
      {"GET",
       "/v1/work-proof",
       "get_work_proof",
       get_work_proof,
       {"percent", "bits", "last"},
       true},
      {"GET", "/v1/cluster", "get_cluster", get_cluster, {}, false, true},
      {"GET", "/v1/members", "get_members", get_members, {}, true, true},
      {"POST", "/v1/members", "post_member", post_member, {}},
      {"PATCH", "/v1/members/{node}", "patch_member", patch_member, {}},
      {"DELETE", "/v1/members/{node}", "delete_member", delete_member, {}},
      {"POST", "/v1/members/{node}/role", "post_role", post_role, {}},
      {"POST", "/v1/members/invitations", "post_invitation", post_invitation, {}},
      {"DELETE",
       "/v1/members/invitations/{token_hash}",
       "delete_invitation",
       delete_invitation,
       {}},
      {"PUT", "/v1/cluster/policy", "put_policy", put_policy, {}},
      {"POST", "/v1/cluster/leader", "post_leader", post_leader, {}},
      {"GET", "/v1/node", "get_node", get_node, {}, false, true},
      {"POST", "/v1/node/drain", "post_drain", post_drain, {}},
      {"DELETE", "/v1/node/drain", "delete_drain", delete_drain, {}},
      {"GET", "/v1/mining", "get_mining", get_mining, {}, false, true},
      {"GET",
       "/v1/mining/cluster",
       "get_mining_cluster",
       get_mining_cluster,
       {"blocks"},
       false,
       true},
      {"POST", "/v1/mining/pause", "post_mining_pause", post_mining_pause, {}, false, true},
      {"POST", "/v1/mining/resume", "post_mining_resume", post_mining_resume, {}, false, true},
      {"POST", "/v1/mining/limit", "post_mining_limit", post_mining_limit, {}, false, true},
      {"GET", "/v1/genesis", "get_genesis", get_genesis, {}, false, true},
      {"GET", "/checkpoint", "get_checkpoint", get_checkpoint, {}, false, true},
      {"GET",
       "/checkpoint/witnessed",
       "get_witnessed_checkpoint",
       get_witnessed_checkpoint,
       {},
       false,
       true},
      {"POST", "/add-checkpoint", "add_checkpoint", post_add_checkpoint, {}, false, true},
      {"GET", "/tile/entries/{tile...}", "get_tile_entries", get_tile_entries, {}},
      {"GET", "/tile/{level}/{tile...}", "get_tile", get_tile, {}},
      {"GET", "/livez", "livez", get_livez, {}, false, true},
      {"GET", "/readyz", "readyz", get_readyz, {}, false, true},
      {"GET", "/metrics", "metrics", get_metrics, {}, false, true},
      {"GET", "/openapi.json", "openapi", get_openapi, {}, false, true},
  };
  return table;
}

namespace {

using Segments = std::vector<std::string>;

// The values of the braces if `path` has the shape of `pattern`.
std::optional<Segments> match(std::string_view pattern, const Segments& path) {
  Segments values;
  std::size_t next = 0;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);  // the slash
    const std::string_view segment = pattern.substr(0, pattern.find('/'));
    pattern.remove_prefix(segment.size());
    if (next == path.size()) return std::nullopt;
    if (segment.ends_with("...}")) {
      std::string rest = path[next];
      while (++next < path.size()) rest += '/' + path[next];
      values.push_back(std::move(rest));
      return values;
    }
    if (segment.front() == '{') {
      if (path[next].empty()) return std::nullopt;
      values.push_back(path[next]);
    } else if (path[next] != segment) {
      return std::nullopt;
    }
    ++next;
  }
  if (next != path.size()) return std::nullopt;
  return values;
}

bool knows(const Route& route, std::string_view name) {
  if (route.is_read && name == "consistency") return true;
  return std::any_of(route.query.begin(), route.query.end(),
                     [&](const char* known) { return known != nullptr && name == known; });
}

// An unknown parameter is most often a misspelt one; ignoring it would do something else than
// asked.
bool take_query(const Route& route, const boost::urls::url_view& url, Call& call) {
  for (const auto& parameter : url.params()) {
    if (!knows(route, parameter.key)) {
      call.answer(Problem::kMalformedRequest,
                  fmt::format("{} {} has no query parameter {}", route.method, route.path,
                              in_quotes(parameter.key)));
      return false;
    }
    if (!call.query.emplace(parameter.key, parameter.value).second) {
      call.answer(
          Problem::kMalformedRequest,
          fmt::format("query parameter {} occurs twice; send it once", in_quotes(parameter.key)));
      return false;
    }
  }
  return true;
}

}  // namespace

const Route* find_route(Call& call) {
  call.label = "unknown";
  const auto url = boost::urls::parse_origin_form(call.request.target);
  if (!url) {
    call.answer(Problem::kMalformedRequest, "the request target is no path with a query");
    return nullptr;
  }
  Segments path;
  for (const auto& segment : url->segments()) path.push_back(segment);
  std::string allowed;
  for (const Route& route : routes()) {
    auto values = match(route.path, path);
    if (!values) continue;
    if (call.request.method != route.method) {
      allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
      continue;
    }
    call.label = route.label;
    call.path = std::move(*values);
    return take_query(route, *url, call) ? &route : nullptr;
  }
  if (allowed.empty()) {
    call.answer(Problem::kNotFound, "no such path; /openapi.json lists all there are");
    return nullptr;
  }
  auto response = problem_response(Problem::kMethodNotAllowed, "this path takes " + allowed);
  response.headers.push_back({"Allow", allowed});
  call.answer(std::move(response));
  return nullptr;
}

}  // namespace eventchain::node::api
