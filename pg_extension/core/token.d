pg_extension/core/token.o: pg_extension/core/token.cpp \
 pg_extension/core/token.hpp pg_extension/core/json.hpp \
 pg_extension/core/jwk.hpp pg_extension/core/base64url.hpp \
 pg_extension/core/error.hpp pg_extension/core/sqlstate.hpp
pg_extension/core/token.hpp:
pg_extension/core/json.hpp:
pg_extension/core/jwk.hpp:
pg_extension/core/base64url.hpp:
pg_extension/core/error.hpp:
pg_extension/core/sqlstate.hpp:
