// Runs stories: scenarios [--trace] FILE..

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string_view>

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
