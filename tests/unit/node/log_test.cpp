#include "node/log.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cstdio>
#include <regex>
#include <vector>

#include "node/line_budget.h"

using namespace eventchain::node;

namespace {

// What is written to standard error while this exists.
class CapturedErrors {
 public:
  CapturedErrors() : file_(std::tmpfile()), before_(dup(STDERR_FILENO)) {
    REQUIRE(file_ != nullptr);
    std::fflush(stderr);
    REQUIRE(dup2(fileno(file_), STDERR_FILENO) == STDERR_FILENO);
  }
  ~CapturedErrors() {
    if (before_ >= 0) restore();
    std::fclose(file_);
  }
  CapturedErrors(const CapturedErrors&) = delete;
  CapturedErrors& operator=(const CapturedErrors&) = delete;

  // Ends the capture; a last line without its end is a line too.
  std::vector<std::string> lines() {
    restore();
    std::rewind(file_);
    std::vector<std::string> lines(1);
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) {
      if (c == '\n')
        lines.emplace_back();
      else
        lines.back() += static_cast<char>(c);
    }
    if (lines.back().empty()) lines.pop_back();
    return lines;
  }

 private:
  void restore() {
    std::fflush(stderr);
    dup2(before_, STDERR_FILENO);
    close(before_);
    before_ = -1;
  }

  std::FILE* file_;
  int before_;
};

std::vector<std::string> written(LogFormat format, std::string_view text) {
  CapturedErrors errors;
  Log("info", format).write(Notice::Level::kInfo, text);
  return errors.lines();
}

// All that could end a line, a string or a terminal's patience.
std::string every_ascii() {
  std::string text;
  for (int c = 0; c < 0x80; ++c) text += static_cast<char>(c);
  return text;
}

constexpr const char* kTime = R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)";

}  // namespace

TEST_CASE("a line of text is time, level and text") {
  const auto lines = written(LogFormat::kText, "leader changed term=3 leader=n1");
  REQUIRE(lines.size() == 1);
  CHECK(std::regex_match(lines[0],
                         std::regex(std::string(kTime) + " info leader changed term=3 leader=n1")));
}

TEST_CASE("a line of JSON is an object with time, level and text") {
  CapturedErrors errors;
  Log("info", LogFormat::kJson).write(Notice::Level::kWarning, "target eased");
  const auto lines = errors.lines();
  REQUIRE(lines.size() == 1);
  const auto line = boost::json::parse(lines[0]).as_object();
  CHECK(line.size() == 3);
  CHECK(std::regex_match(std::string(line.at("time").as_string()), std::regex(kTime)));
  CHECK(line.at("level").as_string() == "warning");
  CHECK(line.at("text").as_string() == "target eased");
}

TEST_CASE("whatever the text is, a line of text stays one line without control characters") {
  const auto lines = written(LogFormat::kText, every_ascii());
  REQUIRE(lines.size() == 1);
  for (const char c : lines[0]) {
    CHECK(static_cast<unsigned char>(c) >= 0x20);
    CHECK(c != 0x7f);
  }
  CHECK(lines[0].find("\\u0000\\u0001") != std::string::npos);
  CHECK(lines[0].find("\\u000a") != std::string::npos);
  CHECK(lines[0].find("\\u001b") != std::string::npos);
  CHECK(lines[0].find("~\\u007f") != std::string::npos);
  // What is printed as it is: quotes of values, other scripts.
  const auto quoted = written(LogFormat::kText, R"(peer=n1 what="a \ b" name=Zürich)");
  REQUIRE(quoted.size() == 1);
  CHECK(quoted[0].find(R"( info peer=n1 what="a \ b" name=Zürich)") != std::string::npos);
}

TEST_CASE("whatever the text is, a line of JSON gives it back") {
  for (const std::string& text : {every_ascii(), std::string(R"(","level":"error","text":")"),
                                  std::string("Zürich \u2028")}) {
    const auto lines = written(LogFormat::kJson, text);
    REQUIRE(lines.size() == 1);
    const auto line = boost::json::parse(lines[0]).as_object();
    CHECK(line.at("text").as_string() == text);
    CHECK(line.at("level").as_string() == "info");
  }
}

TEST_CASE("octets that are no UTF-8 do not break a line of JSON") {
  for (const std::string& text : {std::string("a\xff\"b"), std::string("cut \xe2\x82"),
                                  std::string("\xed\xa0\x80 surrogate")}) {
    const auto lines = written(LogFormat::kJson, text);
    REQUIRE(lines.size() == 1);
    boost::json::error_code error;
    boost::json::parse(lines[0], error);
    CHECK_FALSE(error);
  }
}

TEST_CASE("what is below the level is not written") {
  const Notice::Level levels[] = {Notice::Level::kDebug, Notice::Level::kInfo,
                                  Notice::Level::kWarning, Notice::Level::kError};
  const char* const names[] = {"debug", "info", "warning", "error"};
  for (std::size_t least = 0; least < 4; ++least) {
    CapturedErrors errors;
    Log log(names[least], LogFormat::kText);
    for (const Notice::Level level : levels) log.write(level, "said");
    const auto lines = errors.lines();
    REQUIRE(lines.size() == 4 - least);
    for (std::size_t i = 0; i < lines.size(); ++i)
      CHECK(lines[i].find(" " + std::string(names[least + i]) + " said") != std::string::npos);
  }
}

TEST_CASE("lines beyond the budget of a second are left out and counted") {
  LineBudget budget(3);
  for (int i = 0; i < 3; ++i) CHECK(budget.admit(7) == 0);
  for (int i = 0; i < 5; ++i) CHECK_FALSE(budget.admit(7).has_value());
  CHECK(budget.admit(8) == 5);
  CHECK(budget.admit(8) == 0);  // said once
  CHECK(budget.admit(8) == 0);
  CHECK_FALSE(budget.admit(8).has_value());
  CHECK(budget.admit(9000) == 1);
}

TEST_CASE("a flood of lines does not become a flood of output") {
  CapturedErrors errors;
  Log log("info", LogFormat::kText);
  constexpr std::size_t kFlood = 100'000;
  for (std::size_t i = 0; i < kFlood; ++i) log.write(Notice::Level::kWarning, "again");
  // 200 lines in each second that this takes, which would have to be minutes.
  const auto lines = errors.lines();
  CHECK(lines.size() >= 200);
  CHECK(lines.size() < kFlood / 2);
}
