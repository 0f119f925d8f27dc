// Passwords taken out of what libraries say: in URIs (scheme://user:password@host) and in
// key=value strings (password=..., sslpassword='...').
#include "base/log.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>

namespace tenancy::sidecar {
namespace {

constexpr std::string_view mask = "***";

struct Span {
    std::size_t begin;
    std::size_t end;
};

bool ends_word(char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0;
}

std::size_t skip_spaces(std::string_view text, std::size_t at) {
    while (at < text.size() && ends_word(text[at])) {
        ++at;
    }
    return at;
}

// The password between "://user:" and the last "@" of the word. The last: an unescaped "@" in a
// password is a mistake that people make, and then only this hides all of it.
std::optional<Span> in_uri(std::string_view text, std::size_t scheme_end) {
    const auto begin = scheme_end + 3;
    auto end = begin;
    while (end < text.size() && !ends_word(text[end]) && text[end] != '"' && text[end] != '\'') {
        ++end;
    }
    const auto word = text.substr(begin, end - begin);
    const auto at = word.rfind('@');
    const auto colon = word.find(':');
    if (at == std::string_view::npos || colon == std::string_view::npos || colon > at) {
        return std::nullopt;
    }
    return Span{begin + colon + 1, begin + at};
}

// The value that begins at `at`: in quotes (with backslashes), or up to a space, "&" or a quote.
Span value_at(std::string_view text, std::size_t at) {
    const char quote = at < text.size() && (text[at] == '\'' || text[at] == '"') ? text[at] : '\0';
    const std::size_t begin = quote != '\0' ? at + 1 : at;
    std::size_t end = begin;
    while (end < text.size() &&
           (quote != '\0' ? text[end] != quote
                          : !ends_word(text[end]) && text[end] != '&' && text[end] != '"')) {
        end += text[end] == '\\' ? 2 : 1;
    }
    return {begin, std::min(end, text.size())};
}

// The value after a word that ends in "password" or "passphrase" and "=" or ":".
std::optional<Span> after_word(std::string_view text, std::size_t word_end) {
    std::size_t at = word_end;
    if (at < text.size() && (text[at] == '"' || text[at] == '\'')) {
        ++at;
    }
    at = skip_spaces(text, at);
    if (at >= text.size() || (text[at] != '=' && text[at] != ':')) {
        return std::nullopt;
    }
    return value_at(text, skip_spaces(text, at + 1));
}

std::string lower(std::string_view text) {
    std::string copy(text);
    std::transform(copy.begin(), copy.end(), copy.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return copy;
}

std::optional<Span> secret_from(std::string_view text, std::string_view lowered, std::size_t at) {
    if (text.substr(at).starts_with("://")) {
        return in_uri(text, at);
    }
    for (const std::string_view word : {"password", "passphrase"}) {
        if (lowered.substr(at).starts_with(word)) {
            return after_word(text, at + word.size());
        }
    }
    return std::nullopt;
}

} // namespace

std::string redact(std::string_view text) {
    const std::string lowered = lower(text);
    std::string clean;
    std::size_t at = 0;
    while (at < text.size()) {
        const auto secret = secret_from(text, lowered, at);
        if (!secret || secret->begin == secret->end) {
            clean += text[at++];
            continue;
        }
        clean += text.substr(at, secret->begin - at);
        clean += mask;
        at = secret->end;
    }
    return clean;
}

} // namespace tenancy::sidecar
