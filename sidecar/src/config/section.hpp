// One table of the configuration file, read key by key. Whatever is wrong is told with its place in
// the file: file:line:column.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.hpp"
#include "config/config.hpp"

namespace tenancy::sidecar {

// A whole number that a key may have.
struct NumberRange {
    std::int64_t least;
    std::int64_t most;
};

struct DurationRange {
    Milliseconds least;
    Milliseconds most;
};

// All calls throw ConfigError. A section that is not in the file is an empty one: each key of it
// has its default.
class Section {
public:
    // The whole file. Text that is not TOML, or has a key twice, is an error.
    static Section read(const std::filesystem::path& file);

    // "stores.cache"; empty for the file's top.
    [[nodiscard]] const std::string& name() const { return name_; }

    // Refuses every key that is not one of these, with the nearest that is. To be called first.
    void allow(const std::vector<std::string>& keys) const;
    // Refuses these keys with a reason of their own: "KEY <why>".
    void refuse(std::initializer_list<std::string_view> keys, std::string_view why) const;

    [[nodiscard]] bool has(std::string_view key) const;
    // Without default: the key has to be there, and not be empty.
    [[nodiscard]] std::string text(std::string_view key) const;
    [[nodiscard]] std::string text(std::string_view key, std::string_view fallback) const;
    [[nodiscard]] bool flag(std::string_view key, bool fallback) const;
    [[nodiscard]] std::int64_t number(std::string_view key, std::int64_t fallback,
                                      NumberRange range) const;
    [[nodiscard]] Milliseconds duration(std::string_view key, Milliseconds fallback,
                                        DurationRange range) const;
    // An array of texts, none of them empty and none twice.
    [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;
    // One of these words; the first is the default.
    [[nodiscard]] std::string choice(std::string_view key,
                                     std::initializer_list<std::string_view> words) const;
    // A file's path; one that is not absolute starts where the configuration file is. Empty when
    // the key is not there.
    [[nodiscard]] std::filesystem::path path(std::string_view key) const;

    [[nodiscard]] Section section(std::string_view key) const;
    // The sections of a section, in the order of the file.
    [[nodiscard]] std::vector<Section> sections() const;

    // Points to the key's value; to the section when there is no such key.
    [[noreturn]] void fail(std::string_view key, const std::string& what) const;

private:
    struct Document;
    Section(std::shared_ptr<const Document> document, const void* table, std::string name);

    std::shared_ptr<const Document> document_;
    const void* table_; // a toml::table, or null; that header takes seconds to compile
    std::string name_;
};

} // namespace tenancy::sidecar
