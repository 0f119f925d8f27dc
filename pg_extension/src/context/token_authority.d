pg_extension/src/context/token_authority.o: \
 pg_extension/src/context/token_authority.cpp pg_extension/core/error.hpp \
 pg_extension/core/jwk.hpp pg_extension/core/sqlstate.hpp \
 pg_extension/core/tenant_name.hpp pg_extension/core/uuid.hpp \
 pg_extension/core/token.hpp pg_extension/core/json.hpp \
 pg_extension/src/bridge/call.hpp pg_extension/src/bridge/postgres.hpp \
 pg_extension/src/bridge/sqlstate.hpp pg_extension/src/context/errors.hpp \
 pg_extension/src/context/state.hpp pg_extension/src/context/registry.hpp \
 pg_extension/src/context/token_authority.hpp
pg_extension/core/error.hpp:
pg_extension/core/jwk.hpp:
pg_extension/core/sqlstate.hpp:
pg_extension/core/tenant_name.hpp:
pg_extension/core/uuid.hpp:
pg_extension/core/token.hpp:
pg_extension/core/json.hpp:
pg_extension/src/bridge/call.hpp:
pg_extension/src/bridge/postgres.hpp:
pg_extension/src/bridge/sqlstate.hpp:
pg_extension/src/context/errors.hpp:
pg_extension/src/context/state.hpp:
pg_extension/src/context/registry.hpp:
pg_extension/src/context/token_authority.hpp:
