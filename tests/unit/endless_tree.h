#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>

// A table whose tree SQLite can read for longer than anybody lives: pages of one level name the
// same page of the next, dozens of times each (sqlite.org/fileformat.html, 1.6).
namespace endless {

class File {
 public:
  explicit File(std::string path) : path_(std::move(path)) {
    SQLite::Database database(path_, SQLite::OPEN_READWRITE);
    SQLite::Statement(database, "PRAGMA wal_checkpoint(TRUNCATE)").executeStep();
    SQLite::Statement size(database, "PRAGMA page_size");
    REQUIRE(size.executeStep());
    page_size_ = size.getColumn(0).getUInt();
  }

  // Of a table, or of an index by its name.
  void make(const std::string& name) {
    const std::size_t root = root_of(name);
    std::ifstream in(path_, std::ios::binary);
    octets_.assign(std::istreambuf_iterator<char>(in), {});
    in.close();
    std::string page = octets_.substr((root - 1) * page_size_, page_size_);
    while (type_of(page) == kInteriorTable || type_of(page) == kInteriorIndex)
      page = octets_.substr((number(page, cell(page, 0), 4) - 1) * page_size_, page_size_);
    const bool is_table = type_of(page) == kLeafTable;
    // A row of the index stands in each cell of its inner pages, too.
    const std::size_t payload = is_table ? 0 : number(page, cell(page, 0), 1) + 1;
    REQUIRE(payload <= 128);  // its length is one octet
    const std::string entry = is_table ? std::string(1, 127) : page.substr(cell(page, 0), payload);
    std::size_t child = append(page);
    for (int level = 0; level < kLevels; ++level) {
      page = inner_page(is_table, entry, child);
      if (level + 1 < kLevels) child = append(page);
    }
    octets_.replace((root - 1) * page_size_, page_size_, page);
    put(octets_, 28, octets_.size() / page_size_, 4);
    std::ofstream(path_, std::ios::binary) << octets_;
  }

 private:
  static constexpr int kLevels = 12;
  static constexpr std::size_t kWaysMax = 60;
  static constexpr char kInteriorIndex = 2, kInteriorTable = 5, kLeafTable = 13;

  static char type_of(const std::string& page) { return page[0]; }
  static std::size_t number(const std::string& page, std::size_t at, int octets) {
    std::size_t value = 0;
    for (int i = 0; i < octets; ++i)
      value = value << 8 | static_cast<unsigned char>(page[at + static_cast<std::size_t>(i)]);
    return value;
  }
  static void put(std::string& to, std::size_t at, std::size_t value, int octets) {
    for (int i = octets; i-- > 0; value >>= 8)
      to[at + static_cast<std::size_t>(i)] = static_cast<char>(value & 255);
  }
  // Where the cell of that number is.
  static std::size_t cell(const std::string& page, std::size_t at) {
    const bool is_inner = type_of(page) == kInteriorTable || type_of(page) == kInteriorIndex;
    return number(page, (is_inner ? 12 : 8) + 2 * at, 2);
  }

  [[nodiscard]] std::string inner_page(bool is_table, const std::string& entry,
                                       std::size_t child) const {
    std::string page(page_size_, 0);
    const std::size_t ways = std::min(kWaysMax, (page_size_ - 12) / (4 + entry.size() + 2));
    page[0] = is_table ? kInteriorTable : kInteriorIndex;
    put(page, 3, ways, 2);
    put(page, 8, child, 4);
    std::size_t at = page_size_;
    for (std::size_t i = 0; i < ways; ++i) {
      at -= 4 + entry.size();
      put(page, at, child, 4);
      page.replace(at + 4, entry.size(), entry);
      put(page, 12 + 2 * i, at, 2);
    }
    put(page, 5, at, 2);
    return page;
  }

  std::size_t append(const std::string& page) {
    octets_ += page;
    return octets_.size() / page_size_;
  }

  std::size_t root_of(const std::string& name) {
    SQLite::Database database(path_, SQLite::OPEN_READONLY);
    SQLite::Statement root(database, "SELECT rootpage FROM sqlite_master WHERE name = ?");
    root.bind(1, name);
    REQUIRE(root.executeStep());
    return root.getColumn(0).getUInt();
  }

  const std::string path_;
  std::size_t page_size_ = 0;
  std::string octets_;
};

}  // namespace endless
