pg_extension/src/isolation/run_as_owner.o: \
 pg_extension/src/isolation/run_as_owner.cpp \
 pg_extension/src/isolation/run_as_owner.hpp \
 pg_extension/src/bridge/postgres.hpp pg_extension/src/bridge/call.hpp \
 pg_extension/src/bridge/entry.hpp pg_extension/core/error.hpp \
 pg_extension/src/context/state.hpp
pg_extension/src/isolation/run_as_owner.hpp:
pg_extension/src/bridge/postgres.hpp:
pg_extension/src/bridge/call.hpp:
pg_extension/src/bridge/entry.hpp:
pg_extension/core/error.hpp:
pg_extension/src/context/state.hpp:
