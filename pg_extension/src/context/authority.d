pg_extension/src/context/authority.o: \
 pg_extension/src/context/authority.cpp pg_extension/core/tenant_name.hpp \
 pg_extension/core/uuid.hpp pg_extension/src/bridge/call.hpp \
 pg_extension/src/bridge/postgres.hpp \
 pg_extension/src/context/authority.hpp \
 pg_extension/src/context/state.hpp pg_extension/src/context/errors.hpp \
 pg_extension/src/context/leftovers.hpp \
 pg_extension/src/context/registry.hpp \
 pg_extension/src/context/setting.hpp \
 pg_extension/src/context/token_authority.hpp
pg_extension/core/tenant_name.hpp:
pg_extension/core/uuid.hpp:
pg_extension/src/bridge/call.hpp:
pg_extension/src/bridge/postgres.hpp:
pg_extension/src/context/authority.hpp:
pg_extension/src/context/state.hpp:
pg_extension/src/context/errors.hpp:
pg_extension/src/context/leftovers.hpp:
pg_extension/src/context/registry.hpp:
pg_extension/src/context/setting.hpp:
pg_extension/src/context/token_authority.hpp:
