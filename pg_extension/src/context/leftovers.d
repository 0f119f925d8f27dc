pg_extension/src/context/leftovers.o: \
 pg_extension/src/context/leftovers.cpp \
 pg_extension/src/context/leftovers.hpp \
 pg_extension/src/context/state.hpp pg_extension/src/bridge/postgres.hpp \
 pg_extension/src/bridge/sqlstate.hpp pg_extension/core/sqlstate.hpp
pg_extension/src/context/leftovers.hpp:
pg_extension/src/context/state.hpp:
pg_extension/src/bridge/postgres.hpp:
pg_extension/src/bridge/sqlstate.hpp:
pg_extension/core/sqlstate.hpp:
