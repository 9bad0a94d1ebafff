#include <string>
#include <utility>

#include "node/api/drain.h"
#include "node/api/handlers.h"
#include "node/api/witness_json.h"

namespace eventchain::node::api {

namespace {

const char* name_of(consensus::Role role) {
  switch (role) {
    case consensus::Role::kFollower:
      return "follower";
    case consensus::Role::kCandidate:
      return "candidate";
    case consensus::Role::kLeader:
      return "leader";
  }
  return "unknown";
}

void append_counters(JsonText& out, const NodeStatus::Counters& counters) {
  out.key("counters").open_object();
  const std::pair<const char*, std::uint64_t> all[] = {
      {"events_received", counters.events_received},
      {"events_durable", counters.events_durable},
      {"events_completed", counters.events_completed},
      {"events_rejected", counters.events_rejected},
      {"key_conflicts", counters.key_conflicts},
      {"blocks_committed", counters.blocks_committed},
      {"blocks_stale", counters.blocks_stale},
      {"templates_made", counters.templates_made},
      {"templates_adopted", counters.templates_adopted},
      {"shares_own", counters.own_shares.sum()},
      {"shares_accepted", counters.shares_accepted()},
      {"shares_refused", counters.shares_refused()},
      {"elections", counters.elections},
      {"peer_faults", counters.peer_faults},
      {"easings", counters.easings},
  };
  for (const auto& [name, value] : all) out.big(name, value);
  out.close_object();
}

void append_peers(JsonText& out, const NodeStatus& status) {
  out.key("peers").open_array();
  for (const PeerStatus& peer : status.peers) {
    out.open_object()
        .text("node", to_hex(peer.node))
        .text("name", peer.name)
        .boolean("linked", peer.linked);
    if (peer.tip) out.big("height", peer.tip->value);
    if (peer.program_level) out.number("program_level", *peer.program_level);
    if (peer.faults > 0)
      out.big("faults", peer.faults)
          .text("last_fault", peer.last_fault)
          .boolean("shunned", peer.shunned);
    out.close_object();
  }
  out.close_array();
}

std::string status_json(const Context& context, const NodeStatus& status) {
  JsonText out;
  out.open_object()
      .text("node", to_hex(status.node))
      .text("name", status.name)
      .text("chain", to_hex(status.chain))
      .text("chain_name", status.chain_name)
      .text("role", status.is_light ? "light" : name_of(status.role))
      .big("term", status.term.value)
      .boolean("ready", status.ready);
  if (status.leader) out.text("leader", to_hex(*status.leader));
  out.big("commit_index", status.commit_index.value)
      .big("applied_index", status.applied_index.value)
      .big("height", status.height.value)
      .text("tip", to_hex(status.tip))
      .big("certified", status.certified.value)
      .big("log_size", status.log_size)
      .text("total_work", status.total_work.to_decimal())
      .number("feature_level", status.feature_level)
      .number("program_level", status.program_level);
  if (status.leader_clock_ahead)
    out.number("leader_clock_ahead_ms", status.leader_clock_ahead->count());
  if (status.working_on)
    out.key("in_work")
        .open_object()
        .big("height", status.working_on->value)
        .number("shares_found", status.shares_found)
        .number("shares_needed", status.shares_needed)
        .close_object();
  out.key("pool")
      .open_object()
      .big("events", status.pending_events)
      .big("bytes", status.pending_bytes)
      .big("events_max", status.pool_events_max)
      .close_object()
      .boolean("intake_open", status.intake_open);
  if (status.drain) append_drain(out.key("drain"), status.drain);
  if (const Witnesses* witnesses = context.options.witnesses)
    append_witnesses(out.key("witnesses"), witnesses->report());
  if (const Cosigner* cosigner = context.options.cosigner)
    append_cosigner(out.key("cosigner"), cosigner->report());
  append_peers(out, status);
  append_counters(out, status.counters);
  return out.close_object().take();
}

// Asks the core and answers on the connection's thread.
template <class Make>
void with_status(const CallPtr& call, Make make) {
  call->context->port.ask_status([call, make](const NodeStatus& status) {
    call->later([call, make, status] { call->answer(make(status)); });
  });
}

net::http::Response text_response(std::string content_type, std::string body) {
  net::http::Response response;
  response.content_type = std::move(content_type);
  response.body = std::move(body);
  return response;
}

}  // namespace

void get_cluster(const CallPtr& call) {
  with_status(call, [&context = *call->context](const NodeStatus& status) {
    return text_response("application/json", status_json(context, status));
  });
}

void get_livez(const CallPtr& call) {
  call->answer(text_response("application/json", R"({"status":"alive"})"));
}

void get_readyz(const CallPtr& call) {
  with_status(call, [](const NodeStatus& status) {
    if (status.drain)
      return problem_response(Problem::kDraining,
                              "this node is to be stopped; send clients to other nodes");
    if (status.ready) return text_response("application/json", R"({"status":"ready"})");
    if (status.is_light)
      return problem_response(Problem::kNotReady, "no member but light ones is linked");
    return problem_response(Problem::kNotReady,
                            "no leader is known or reachable; events are held here but cannot "
                            "become durable until a majority of voters is linked");
  });
}

void get_metrics(const CallPtr& call) {
  const auto& text = call->context->options.metrics;
  if (!text) return call->answer(Problem::kNotFound, "metrics are switched off");
  with_status(call, [&text](const NodeStatus& status) {
    return text_response("text/plain; version=0.0.4; charset=utf-8", text(status));
  });
}

void get_openapi(const CallPtr& call) {
  call->answer(text_response("application/json", std::string(openapi_json())));
}

}  // namespace eventchain::node::api
