pg_extension/src/isolation/grants.o: \
 pg_extension/src/isolation/grants.cpp \
 pg_extension/src/isolation/grants.hpp \
 pg_extension/src/bridge/postgres.hpp \
 pg_extension/src/bridge/sqlstate.hpp pg_extension/core/sqlstate.hpp \
 pg_extension/src/isolation/protected.hpp
pg_extension/src/isolation/grants.hpp:
pg_extension/src/bridge/postgres.hpp:
pg_extension/src/bridge/sqlstate.hpp:
pg_extension/core/sqlstate.hpp:
pg_extension/src/isolation/protected.hpp:
