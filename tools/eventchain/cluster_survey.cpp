#include "tools/eventchain/cluster_survey.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace eventchain::tools {

namespace {

std::shared_ptr<const TlsContext> tls_of(const Session& session) {
  if (session.endpoints.empty())
    throw CommandFailed{Exit::kUsage, "no endpoint; give --endpoint or set EVENTCHAIN_ENDPOINT"};
  bool needs_tls = false;
  for (const std::string& endpoint : session.endpoints)
    needs_tls = value_or_stop(parse_endpoint(endpoint)).tls || needs_tls;
  return needs_tls ? value_or_stop(make_tls_context(session.tls)) : nullptr;
}

}  // namespace

ClusterSurvey::ClusterSurvey(const Session& session, std::chrono::milliseconds timeout)
    : endpoints_(session.endpoints), timeout_(timeout), poll_(tls_of(session)) {}

ClusterView ClusterSurvey::look() {
  const std::vector<Polled> answers = poll_.round(endpoints_, timeout_, [](const Polled& first) {
    return endpoints_of(members_in({first}), first.endpoint);
  });
  return view_cluster(answers);
}

TerminalSize terminal_size() {
  winsize size{};
  if (isatty(STDOUT_FILENO) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {};
  return {size.ws_col, size.ws_row};
}

}  // namespace eventchain::tools
