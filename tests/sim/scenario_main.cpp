// Runs stories: scenarios [--trace] [--plant MISTAKE] FILE..

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "tests/sim/planting.h"
#include "tests/sim/scenario.h"

int main(int argc, char** argv) {
  bool prints = false;
  int told = 0;
  int failed = 0;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--trace") {
      prints = true;
      continue;
    }
    if (std::string_view(argv[i]) == "--plant" && i + 1 < argc) {
      try {
        eventchain::sim::plant(argv[++i]);
      } catch (const std::invalid_argument& refused) {
        fmt::print(stderr, "--plant: {}\n", refused.what());
        return 2;
      }
      continue;
    }
    std::ifstream file(argv[i]);
    std::ostringstream text;
    text << file.rdbuf();
    ++told;
    std::fprintf(stderr, "%s\n", argv[i]);  // before, so that an abort is known by its story
    try {
      eventchain::sim::Scenario(prints).run(text.str());
    } catch (const eventchain::sim::ScenarioFailure& failure) {
      ++failed;
      fmt::print("{}: {}\n", argv[i], failure.what());
    }
  }
  fmt::print("{} scenarios, {} failed\n", told, failed);
  return failed == 0 && told > 0 ? 0 : 1;
}
