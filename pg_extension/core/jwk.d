pg_extension/core/jwk.o: pg_extension/core/jwk.cpp \
 pg_extension/core/jwk.hpp pg_extension/core/base64url.hpp \
 pg_extension/core/error.hpp pg_extension/core/json.hpp \
 pg_extension/core/openssl_key.hpp pg_extension/core/sqlstate.hpp
pg_extension/core/jwk.hpp:
pg_extension/core/base64url.hpp:
pg_extension/core/error.hpp:
pg_extension/core/json.hpp:
pg_extension/core/openssl_key.hpp:
pg_extension/core/sqlstate.hpp:
