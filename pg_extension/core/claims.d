pg_extension/core/claims.o: pg_extension/core/claims.cpp \
 pg_extension/core/token.hpp pg_extension/core/json.hpp \
 pg_extension/core/jwk.hpp pg_extension/core/control_character.hpp \
 pg_extension/core/error.hpp pg_extension/core/sqlstate.hpp
pg_extension/core/token.hpp:
pg_extension/core/json.hpp:
pg_extension/core/jwk.hpp:
pg_extension/core/control_character.hpp:
pg_extension/core/error.hpp:
pg_extension/core/sqlstate.hpp:
