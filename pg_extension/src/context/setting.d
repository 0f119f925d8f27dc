pg_extension/src/context/setting.o: pg_extension/src/context/setting.cpp \
 pg_extension/src/context/setting.hpp \
 pg_extension/src/bridge/postgres.hpp pg_extension/src/bridge/call.hpp \
 pg_extension/src/bridge/entry.hpp pg_extension/core/error.hpp \
 pg_extension/src/bridge/sqlstate.hpp \
 pg_extension/src/context/authority.hpp \
 pg_extension/src/context/state.hpp pg_extension/core/sqlstate.hpp
pg_extension/src/context/setting.hpp:
pg_extension/src/bridge/postgres.hpp:
pg_extension/src/bridge/call.hpp:
pg_extension/src/bridge/entry.hpp:
pg_extension/core/error.hpp:
pg_extension/src/bridge/sqlstate.hpp:
pg_extension/src/context/authority.hpp:
pg_extension/src/context/state.hpp:
pg_extension/core/sqlstate.hpp:
