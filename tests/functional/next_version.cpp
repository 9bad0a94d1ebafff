// eventchaind as its next version would be: the same, but that it can do one feature level more
// (chain/features.h). Upgrades are tested with it; it is never shipped.

#include <cstdio>
#include <exception>

#include "chain/features.h"
#include "node/program.h"

int main(int argc, char** argv) {
  try {
    return eventchain::node::run_program(argc, argv, eventchain::chain::kFeatureLevelMax + 1);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "eventchaind-next: %s\n", error.what());
    return 1;
  }
}
