// Talking to the person at the terminal: questions and tables.
#pragma once

#include <string>
#include <vector>

namespace tenancy::sidecar {

// Asks on the terminal and returns whether the answer was yes. Without a terminal nobody can be
// asked: throws UsageError, which says to use --yes.
[[nodiscard]] bool confirmed(const std::string& question);

// Rows of text in columns as wide as their widest field; no space at the ends of lines. The first
// row is the heading.
[[nodiscard]] std::string table_text(const std::vector<std::vector<std::string>>& rows);

} // namespace tenancy::sidecar
