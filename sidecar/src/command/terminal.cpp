#include "command/terminal.hpp"

#include <algorithm>
#include <iostream>

#include <unistd.h>

#include "command/commands.hpp"

namespace tenancy::sidecar {
namespace {

// Characters, not bytes: those that go on a character are not counted.
std::size_t width(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](unsigned char c) { return (c & 0xC0U) != 0x80U; }));
}

std::vector<std::size_t> widths(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> found;
    for (const auto& row : rows) {
        found.resize(std::max(found.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) {
            found[i] = std::max(found[i], width(row[i]));
        }
    }
    return found;
}

} // namespace

bool confirmed(const std::string& question) {
    if (isatty(STDIN_FILENO) == 0) {
        throw UsageError("nobody can be asked without a terminal; use --yes to confirm");
    }
    std::cout << question << " [y/N] " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "yes";
}

std::string table_text(const std::vector<std::vector<std::string>>& rows) {
    const std::vector<std::size_t> columns = widths(rows);
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            line.append(columns[i] - width(row[i]) + 2, ' ');
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    }
    return text;
}

} // namespace tenancy::sidecar
