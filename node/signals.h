#pragma once

namespace eventchain::node {

// For the first thread, before there are others: SIGTERM and SIGINT are blocked in all threads and
// wait for whoever asks, and a peer or client that goes away is no signal at all.
void arrange_signals();

// Until SIGTERM or SIGINT comes; a thread may send one to the caller's to wake it.
void wait_for_end_signal();

}  // namespace eventchain::node
