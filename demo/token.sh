#!/usr/bin/env bash
# Signed tokens as an identity provider would make them: JWTs with Ed25519, by openssl. Sourced by
# scripts/demo.
# shellcheck disable=SC2154

base64url() { base64 -w0 | tr '+/' '-_' | tr -d '='; }

make_key() { openssl genpkey -algorithm ed25519 -out "$home/$1.pem"; }

# The public key as a JWK: the raw key is the last 32 bytes of its DER form.
public_jwk() {
    printf '{"kty":"OKP","crv":"Ed25519","x":"%s"}' \
        "$(openssl pkey -in "$home/$1.pem" -pubout -outform DER | tail -c 32 | base64url)"
}

# mint KEY TENANT SECONDS: a token for a tenant that is valid for so long from now on (or expired
# so long ago).
mint() {
    local now head claims
    now=$(date +%s)
    head=$(printf '{"alg":"EdDSA","typ":"JWT","kid":"key-1"}' | base64url)
    claims=$(printf '{"iss":"https://login.example","aud":"chat","sub":"ada@%s","tenant":"%s","iat":%d,"exp":%d,"mode":"read_write"}' \
        "$2" "$2" $((now - 100)) $((now + $3)) | base64url)
    printf '%s.%s' "$head" "$claims" >"$home/to-sign"
    printf '%s.%s.%s' "$head" "$claims" \
        "$(openssl pkeyutl -sign -rawin -inkey "$home/$1.pem" -in "$home/to-sign" | base64url)"
}
