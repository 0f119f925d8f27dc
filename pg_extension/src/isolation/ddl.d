pg_extension/src/isolation/ddl.o: pg_extension/src/isolation/ddl.cpp \
 pg_extension/src/isolation/ddl.hpp pg_extension/src/bridge/postgres.hpp \
 pg_extension/src/bridge/sqlstate.hpp pg_extension/core/sqlstate.hpp \
 pg_extension/src/isolation/grants.hpp \
 pg_extension/src/isolation/protected.hpp \
 pg_extension/src/isolation/run_as_owner.hpp
pg_extension/src/isolation/ddl.hpp:
pg_extension/src/bridge/postgres.hpp:
pg_extension/src/bridge/sqlstate.hpp:
pg_extension/core/sqlstate.hpp:
pg_extension/src/isolation/grants.hpp:
pg_extension/src/isolation/protected.hpp:
pg_extension/src/isolation/run_as_owner.hpp:
