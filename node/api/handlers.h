#pragma once

#include "node/api/call.h"

// One function per route; each answers its call exactly once, now or later.
namespace eventchain::node::api {

// submit.cpp
void post_events(const CallPtr& call);
void post_stream(const CallPtr& call);
// read_events.cpp
void find_event(const CallPtr& call);
void get_event(const CallPtr& call);
void get_event_status(const CallPtr& call);
void get_stream(const CallPtr& call);
void get_log(const CallPtr& call);
// read_receipt.cpp
void get_event_receipt(const CallPtr& call);
void get_block_receipt(const CallPtr& call);
// read_work_proof.cpp
void get_work_proof(const CallPtr& call);
// read_chain.cpp
void get_block(const CallPtr& call);
void get_headers(const CallPtr& call);
void get_tips(const CallPtr& call);
void get_members(const CallPtr& call);
void get_genesis(const CallPtr& call);
// tlog.cpp
void get_checkpoint(const CallPtr& call);
void get_witnessed_checkpoint(const CallPtr& call);
void get_tile(const CallPtr& call);
void get_tile_entries(const CallPtr& call);
// add_checkpoint.cpp
void post_add_checkpoint(const CallPtr& call);
// orders.cpp
void post_invitation(const CallPtr& call);
void delete_invitation(const CallPtr& call);
void post_role(const CallPtr& call);
void patch_member(const CallPtr& call);
void delete_member(const CallPtr& call);
void put_policy(const CallPtr& call);
void post_leader(const CallPtr& call);
// drain.cpp
void post_drain(const CallPtr& call);
void delete_drain(const CallPtr& call);
// mining.cpp
void get_mining(const CallPtr& call);
void post_mining_pause(const CallPtr& call);
void post_mining_resume(const CallPtr& call);
void post_mining_limit(const CallPtr& call);
// mining_cluster.cpp
void get_mining_cluster(const CallPtr& call);
// join.cpp
void post_member(const CallPtr& call);
// read_node.cpp
void get_cluster(const CallPtr& call);
void get_node(const CallPtr& call);
void get_livez(const CallPtr& call);
void get_readyz(const CallPtr& call);
void get_metrics(const CallPtr& call);
void get_openapi(const CallPtr& call);

}  // namespace eventchain::node::api
