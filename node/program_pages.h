#pragma once

#include <functional>
#include <map>
#include <string>

namespace CLI {
class App;
}

// The manual page of a program, made of its own command line, so that nothing is typed twice and
// nothing can be forgotten; the completions are completions.h.
namespace eventchain::node {

struct ManualPage {
  std::string section;   // "1", "8"
  std::string see_also;  // "eventchaind(8), ..."
};

// In man(7)'s language. The app's first line of description is the page's title; its footer is
// EXIT STATUS.
std::string manual_page(const CLI::App& app, const ManualPage& page);

// Adds the option `--generate PAGE`, not shown in --help, which prints one of these and ends the
// program with 0. The build calls it.
void add_pages(CLI::App& app, std::map<std::string, std::function<std::string()>> pages);

// A text in man(7)'s language that shows as it is.
std::string roff(std::string_view text);

}  // namespace eventchain::node
