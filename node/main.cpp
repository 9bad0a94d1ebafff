#include <cstdio>
#include <exception>

#include "chain/features.h"
#include "node/daemon.h"
#include "node/program.h"

int main(int argc, char** argv) {
  try {
    return eventchain::node::run_program(argc, argv, eventchain::chain::kFeatureLevelMax);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "eventchaind: %s\n", error.what());
    return eventchain::node::kExitFailed;
  }
}
