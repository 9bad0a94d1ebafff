#pragma once

#include <boost/json.hpp>
#include <functional>
#include <optional>
#include <string>

#include "chain/members.h"
#include "net/messages.h"
#include "node/api/call.h"

// What the handlers of orders (orders.cpp, join.cpp) share: who it is, what the body says, what the
// members are, and what the cluster makes of the order.
namespace eventchain::node::api {

// The name in the client's certificate if that is one of this chain's; else "".
std::string client_name(const Call& call);

// Who orders ("" where everybody may); nullopt after having refused.
std::optional<std::string> take_operator(const CallPtr& call);

// The request's JSON body; nullopt after having refused. The request's text is given up.
std::optional<boost::json::value> take_body(const CallPtr& call);

// Goes on with the members that are in force next, once this node has all that was committed: who
// invites and then joins may speak to two nodes.
void with_members(const CallPtr& call, std::function<void(const chain::MembersRef&)> go_on);

// Hands the order to the leader and goes on with the height of the block that has it; refusals are
// answered here.
void give_order(const CallPtr& call, net::Order order, std::function<void(chain::Height)> go_on);

}  // namespace eventchain::node::api
