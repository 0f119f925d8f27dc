#include "config/section.hpp"

#include <algorithm>

#include <toml++/toml.h>

#include "config/duration.hpp"
#include "config/nearest.hpp"

namespace tenancy::sidecar {
namespace {

const toml::table& as_table(const void* table) {
    static const toml::table none;
    return table != nullptr ? *static_cast<const toml::table*>(table) : none;
}

std::string in_quotes(std::string_view text) {
    return '"' + std::string(text) + '"';
}

std::string joined(const std::vector<std::string>& words) {
    std::string list;
    for (const std::string& word : words) {
        list += (list.empty() ? "" : ", ") + word;
    }
    return list;
}

std::string_view kind_of(const toml::node& node) {
    switch (node.type()) {
    case toml::node_type::string:
        return "a text";
    case toml::node_type::integer:
    case toml::node_type::floating_point:
        return "a number";
    case toml::node_type::boolean:
        return "true or false";
    case toml::node_type::array:
        return "an array";
    case toml::node_type::table:
        return "a table";
    default:
        return "a date or time";
    }
}

std::string place(const std::filesystem::path& file, const toml::source_position& at) {
    return file.string() + ':' + std::to_string(at.line) + ':' + std::to_string(at.column) + ": ";
}

bool before(const toml::source_position& a, const toml::source_position& b) {
    return a.line != b.line ? a.line < b.line : a.column < b.column;
}

} // namespace

struct Section::Document {
    std::filesystem::path file;
    toml::table top;
};

Section::Section(std::shared_ptr<const Document> document, const void* table, std::string name)
    : document_(std::move(document)), table_(table), name_(std::move(name)) {}

Section Section::read(const std::filesystem::path& file) {
    auto document = std::make_shared<Document>();
    document->file = file;
    try {
        document->top = toml::parse_file(file.string());
    } catch (const toml::parse_error& error) {
        if (error.source().begin.line == 0) {
            throw ConfigError(file.string() + ": cannot be read; name another file with --config");
        }
        throw ConfigError(place(file, error.source().begin) + std::string(error.description()));
    }
    const void* top = &document->top;
    return {std::move(document), top, ""};
}

void Section::allow(const std::vector<std::string>& keys) const {
    const toml::key* first = nullptr;
    for (const auto& [key, value] : as_table(table_)) {
        if (std::find(keys.begin(), keys.end(), key.str()) == keys.end() &&
            (first == nullptr || before(key.source().begin, first->source().begin))) {
            first = &key;
        }
    }
    if (first == nullptr) {
        return;
    }
    const std::string where = name_.empty() ? "" : " in [" + name_ + "]";
    const auto meant = nearest(first->str(), keys);
    throw ConfigError(
        place(document_->file, first->source().begin) + "unknown key " + in_quotes(first->str()) +
        where +
        (meant ? "; did you mean " + in_quotes(*meant) + "?" : "; known are " + joined(keys)));
}

void Section::refuse(std::initializer_list<std::string_view> keys, std::string_view why) const {
    for (const std::string_view key : keys) {
        if (has(key)) {
            fail(key, std::string(key) + ' ' + std::string(why));
        }
    }
}

bool Section::has(std::string_view key) const {
    return as_table(table_).contains(key);
}

std::string Section::text(std::string_view key) const {
    const std::string found = text(key, "");
    if (found.empty()) {
        fail(key, std::string(key) + (has(key) ? " is empty" : " is missing") +
                      (name_.empty() ? "" : " in [" + name_ + "]"));
    }
    return found;
}

std::string Section::text(std::string_view key, std::string_view fallback) const {
    const toml::node* node = as_table(table_).get(key);
    if (node == nullptr) {
        return std::string(fallback);
    }
    const auto value = node->value_exact<std::string>();
    if (!value) {
        fail(key,
             std::string(key) + " must be a text in quotes, not " + std::string(kind_of(*node)));
    }
    return *value;
}

bool Section::flag(std::string_view key, bool fallback) const {
    const toml::node* node = as_table(table_).get(key);
    if (node == nullptr) {
        return fallback;
    }
    const auto value = node->value_exact<bool>();
    if (!value) {
        fail(key, std::string(key) + " must be true or false, not " + std::string(kind_of(*node)));
    }
    return *value;
}

std::int64_t Section::number(std::string_view key, std::int64_t fallback, NumberRange range) const {
    const toml::node* node = as_table(table_).get(key);
    if (node == nullptr) {
        return fallback;
    }
    const auto value = node->value_exact<std::int64_t>();
    if (!value) {
        fail(key, std::string(key) + " must be a whole number, not " + std::string(kind_of(*node)));
    }
    if (*value < range.least || *value > range.most) {
        fail(key, std::string(key) + " is " + std::to_string(*value) + "; it must be from " +
                      std::to_string(range.least) + " to " + std::to_string(range.most));
    }
    return *value;
}

Milliseconds Section::duration(std::string_view key, Milliseconds fallback,
                               DurationRange range) const {
    const toml::node* node = as_table(table_).get(key);
    if (node == nullptr) {
        return fallback;
    }
    const auto value = node->value_exact<std::string>();
    const auto duration = value ? parse_duration(*value) : std::nullopt;
    if (!duration) {
        fail(key, std::string(key) + " must be a duration: a whole number with ms, s, m or h, in "
                                     "quotes, as \"30s\"");
    }
    if (*duration < range.least || *duration > range.most) {
        fail(key, std::string(key) + " is " + *value + "; it must be from " +
                      duration_text(range.least) + " to " + duration_text(range.most));
    }
    return *duration;
}

std::vector<std::string> Section::texts(std::string_view key) const {
    const toml::node* node = as_table(table_).get(key);
    if (node == nullptr) {
        return {};
    }
    if (!node->is_array()) {
        fail(key, std::string(key) + " must be an array of texts, as [\"...\"], not " +
                      std::string(kind_of(*node)));
    }
    std::vector<std::string> found;
    for (const toml::node& member : *node->as_array()) {
        const auto value = member.value_exact<std::string>();
        const std::string at = place(document_->file, member.source().begin);
        if (!value || value->empty()) {
            throw ConfigError(at + std::string(key) +
                              " must have texts in quotes, none of them empty");
        }
        if (std::find(found.begin(), found.end(), *value) != found.end()) {
            throw ConfigError(at + std::string(key) + " names the same one twice; leave one out");
        }
        found.push_back(*value);
    }
    return found;
}

std::string Section::choice(std::string_view key,
                            std::initializer_list<std::string_view> words) const {
    std::string found = text(key, *words.begin());
    const std::vector<std::string> known(words.begin(), words.end());
    if (std::find(known.begin(), known.end(), found) == known.end()) {
        const auto meant = nearest(found, known);
        fail(key, std::string(key) + " is " + in_quotes(found) + "; it must be one of " +
                      joined(known) + (meant ? "; did you mean " + in_quotes(*meant) + "?" : ""));
    }
    return found;
}

std::filesystem::path Section::path(std::string_view key) const {
    std::filesystem::path found = text(key, "");
    if (found.empty() || found.is_absolute()) {
        return found;
    }
    return std::filesystem::absolute(document_->file).parent_path() / found;
}

Section Section::section(std::string_view key) const {
    const toml::node* node = as_table(table_).get(key);
    if (node != nullptr && !node->is_table()) {
        fail(key, std::string(key) + " must be a table: write [" + std::string(key) + "]");
    }
    const std::string name = (name_.empty() ? "" : name_ + ".") + std::string(key);
    return {document_, node != nullptr ? node->as_table() : nullptr, name};
}

std::vector<Section> Section::sections() const {
    std::vector<Section> found;
    for (const auto& [key, value] : as_table(table_)) {
        found.push_back(section(key.str()));
    }
    std::sort(found.begin(), found.end(), [](const Section& a, const Section& b) {
        return before(as_table(a.table_).source().begin, as_table(b.table_).source().begin);
    });
    return found;
}

void Section::fail(std::string_view key, const std::string& what) const {
    const toml::node* node = as_table(table_).get(key);
    if (node != nullptr) {
        throw ConfigError(place(document_->file, node->source().begin) + what);
    }
    if (table_ == nullptr || table_ == &document_->top) {
        throw ConfigError(document_->file.string() + ": " + what);
    }
    throw ConfigError(place(document_->file, as_table(table_).source().begin) + what);
}

} // namespace tenancy::sidecar
