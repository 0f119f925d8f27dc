// Signs tokens for the benchmark: mint ALGORITHM COUNT LIFETIME TENANT... prints the key as a JWK,
// then COUNT tokens, one a line, for each tenant in turn; no two are equal.
#include "signing.hpp"

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace tenancy::test; // NOLINT(google-build-using-namespace)

std::unique_ptr<Signer> make_signer(const std::string& algorithm) {
    if (algorithm == "EdDSA")
        return make_eddsa_signer();
    if (algorithm == "HS256")
        return make_hs256_signer();
    if (algorithm == "RS256")
        return make_rs256_signer();
    if (algorithm == "ES256")
        return make_es256_signer();
    throw std::runtime_error("unknown algorithm " + algorithm);
}

std::string quoted(const std::string& text) {
    return "\"" + text + "\"";
}

void mint(const std::vector<std::string>& arguments) {
    const std::string& algorithm = arguments.at(0);
    const int count = std::stoi(arguments.at(1));
    const long lifetime = std::stol(arguments.at(2));
    const long now = std::chrono::duration_cast<std::chrono::seconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    const auto signer = make_signer(algorithm);
    std::cout << signer->jwk() << '\n';
    Draft draft(*signer);
    draft.header["kid"] = quoted(algorithm);
    draft.claims["iss"] = quoted("https://bench.example.com");
    draft.claims["aud"] = quoted("bench");
    draft.claims["sub"] = quoted("user-4711");
    draft.claims["mode"] = quoted("read_write");
    draft.claims["iat"] = std::to_string(now);
    draft.claims["exp"] = std::to_string(now + lifetime);
    for (int i = 0; i < count; i++) {
        draft.claims["tenant"] =
            quoted(arguments.at(3 + static_cast<std::size_t>(i) % (arguments.size() - 3)));
        draft.claims["jti"] = quoted(algorithm + "-" + std::to_string(i));
        std::cout << draft.sign() << '\n';
    }
}

} // namespace

int main(int count, char** arguments) {
    try {
        mint(std::vector<std::string>(arguments + 1, arguments + count));
    } catch (const std::exception& error) {
        std::cerr << "mint: " << error.what() << '\n';
        return EXIT_FAILURE;
    }
}
