pg_extension/src/context/enter.o: pg_extension/src/context/enter.cpp \
 pg_extension/src/context/enter.hpp pg_extension/src/bridge/postgres.hpp \
 pg_extension/src/bridge/call.hpp pg_extension/src/bridge/entry.hpp \
 pg_extension/core/error.hpp pg_extension/src/bridge/sqlstate.hpp \
 pg_extension/src/context/authority.hpp \
 pg_extension/src/context/state.hpp \
 pg_extension/src/context/entry_rule.hpp \
 pg_extension/src/context/errors.hpp pg_extension/src/context/setting.hpp \
 pg_extension/core/sqlstate.hpp pg_extension/core/tenant_name.hpp \
 pg_extension/core/uuid.hpp
pg_extension/src/context/enter.hpp:
pg_extension/src/bridge/postgres.hpp:
pg_extension/src/bridge/call.hpp:
pg_extension/src/bridge/entry.hpp:
pg_extension/core/error.hpp:
pg_extension/src/bridge/sqlstate.hpp:
pg_extension/src/context/authority.hpp:
pg_extension/src/context/state.hpp:
pg_extension/src/context/entry_rule.hpp:
pg_extension/src/context/errors.hpp:
pg_extension/src/context/setting.hpp:
pg_extension/core/sqlstate.hpp:
pg_extension/core/tenant_name.hpp:
pg_extension/core/uuid.hpp:
