#include "node/api/handlers.h"

// What a log asks of the witness that this node is (C2SP tlog-witness). The answers are that
// protocol's: plain texts instead of problem documents.
namespace eventchain::node::api {

void post_add_checkpoint(const CallPtr& call) {
  Cosigner* cosigner = call->context->options.cosigner;
  if (cosigner == nullptr)
    return call->answer(Problem::kNotFound, "this node is no witness; see node/WITNESS.md");
  cosigner->add_checkpoint(std::move(call->request.body), [call](net::http::Response response) {
    call->later(
        [call, response = std::move(response)]() mutable { call->answer(std::move(response)); });
  });
}

}  // namespace eventchain::node::api
