pg_extension/src/context/activity.o: \
 pg_extension/src/context/activity.cpp \
 pg_extension/src/context/activity.hpp pg_extension/src/context/state.hpp \
 pg_extension/src/bridge/postgres.hpp pg_extension/src/bridge/compat.hpp \
 pg_extension/src/bridge/entry.hpp pg_extension/core/error.hpp \
 pg_extension/src/bridge/call.hpp pg_extension/src/bridge/sqlstate.hpp \
 pg_extension/core/sqlstate.hpp
pg_extension/src/context/activity.hpp:
pg_extension/src/context/state.hpp:
pg_extension/src/bridge/postgres.hpp:
pg_extension/src/bridge/compat.hpp:
pg_extension/src/bridge/entry.hpp:
pg_extension/core/error.hpp:
pg_extension/src/bridge/call.hpp:
pg_extension/src/bridge/sqlstate.hpp:
pg_extension/core/sqlstate.hpp:
