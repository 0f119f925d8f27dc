pg_extension/src/bridge/entry.o: pg_extension/src/bridge/entry.cpp \
 pg_extension/src/bridge/entry.hpp pg_extension/core/error.hpp \
 pg_extension/src/bridge/call.hpp pg_extension/src/bridge/postgres.hpp
pg_extension/src/bridge/entry.hpp:
pg_extension/core/error.hpp:
pg_extension/src/bridge/call.hpp:
pg_extension/src/bridge/postgres.hpp:
