pg_extension/src/context/errors.o: pg_extension/src/context/errors.cpp \
 pg_extension/src/context/errors.hpp pg_extension/src/context/state.hpp \
 pg_extension/src/bridge/postgres.hpp \
 pg_extension/src/bridge/sqlstate.hpp pg_extension/core/sqlstate.hpp
pg_extension/src/context/errors.hpp:
pg_extension/src/context/state.hpp:
pg_extension/src/bridge/postgres.hpp:
pg_extension/src/bridge/sqlstate.hpp:
pg_extension/core/sqlstate.hpp:
