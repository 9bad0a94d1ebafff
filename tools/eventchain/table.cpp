#include "tools/eventchain/table.h"

#include <algorithm>

#include "tools/eventchain/json_text.h"

namespace eventchain::tools {

namespace json = boost::json;

namespace {

using Row = std::vector<std::string>;

void write_row(std::string& out, const Row& row, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t column = 0; column < row.size(); ++column) {
    line += printable(row[column]);
    if (column + 1 < row.size()) line.append(widths[column] + 2 - row[column].size(), ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + '\n';
}

void collect(const json::value& value, const std::string& path, std::vector<Row>& rows) {
  const auto below = [&path](std::string_view name) {
    return path.empty() ? std::string(name) : path + "." + std::string(name);
  };
  if (const json::object* object = value.if_object()) {
    for (const auto& member : *object)
      collect(member.value(), below({member.key().data(), member.key().size()}), rows);
  } else if (const json::array* array = value.if_array()) {
    for (std::size_t i = 0; i < array->size(); ++i)
      collect((*array)[i], below(std::to_string(i)), rows);
  } else {
    rows.push_back({path, scalar_text(value)});
  }
}

}  // namespace

std::string printable(std::string text) {
  constexpr unsigned char kDelete = 0x7F;
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) == kDelete) c = '?';
  return text;
}

std::string table(const Row& heading, const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(heading.size(), 0);
  for (std::size_t column = 0; column < heading.size(); ++column) {
    widths[column] = heading[column].size();
    for (const Row& row : rows) widths[column] = std::max(widths[column], row[column].size());
  }
  std::string out;
  write_row(out, heading, widths);
  for (const Row& row : rows) write_row(out, row, widths);
  return out;
}

std::string clipped(const std::string& lines, std::size_t width) {
  if (width == 0) return lines;
  std::string out;
  std::size_t column = 0;
  for (const char c : lines) {
    column = c == '\n' ? 0 : column + 1;
    if (column <= width) out += c;
  }
  return out;
}

std::string listing(const json::value& value) {
  std::vector<Row> rows;
  collect(value, "", rows);
  std::size_t width = 0;
  for (const Row& row : rows) width = std::max(width, row[0].size());
  std::string out;
  for (const Row& row : rows) write_row(out, row, {width, 0});
  return out;
}

}  // namespace eventchain::tools
