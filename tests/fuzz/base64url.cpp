// base64url: each byte string has exactly one text, and libsodium's decoder agrees on which.
#include "base64url.hpp"

#include "property.hpp"

#include <sodium.h>

#include <algorithm>

namespace {

using tenancy::decode_base64url;
using tenancy::encode_base64url;
using tenancy::fuzz::require;

std::optional<std::string> decoded_by_sodium(std::string_view text) {
    std::string bytes(text.size(), '\0');
    std::size_t written = 0;
    const char* end = nullptr;
    const int failed = sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()),
                                         bytes.size(), text.data(), text.size(), nullptr, &written,
                                         &end, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    if (failed != 0 || end != text.data() + text.size())
        return std::nullopt;
    bytes.resize(written);
    return bytes;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = tenancy::fuzz::text_of(data, size);
    const std::optional<std::string> bytes = decode_base64url(input);
    // libsodium 1.0.18 takes bytes above 0x7f for digits where char has a sign.
    const bool ascii = std::none_of(input.begin(), input.end(),
                                    [](char c) { return static_cast<unsigned char>(c) > 0x7f; });
    require(bytes == (ascii ? decoded_by_sodium(input) : std::nullopt), "libsodium reads the same");
    if (bytes)
        require(encode_base64url(*bytes) == input, "what is read prints back");
    const std::optional<std::string> back = decode_base64url(encode_base64url(input));
    require(back && *back == input, "what is printed reads back");
    return 0;
}
