// base64url without padding (RFC 4648 section 5, RFC 7515 section 2), the encoding of JWS and JWK.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tenancy {

// The bytes behind `text`, or nothing when it is not canonical: a character outside the URL-safe
// alphabet ('=', '+', '/' and white space included), a length of 1 modulo 4, or trailing bits that
// are not zero. So each byte string has exactly one text. The empty text is the empty byte string.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

// The canonical text of `bytes`, without padding.
[[nodiscard]] std::string encode_base64url(std::string_view bytes);

} // namespace tenancy
