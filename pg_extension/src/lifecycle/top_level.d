pg_extension/src/lifecycle/top_level.o: \
 pg_extension/src/lifecycle/top_level.cpp \
 pg_extension/src/bridge/entry.hpp pg_extension/core/error.hpp \
 pg_extension/src/bridge/call.hpp pg_extension/src/bridge/postgres.hpp
pg_extension/src/bridge/entry.hpp:
pg_extension/core/error.hpp:
pg_extension/src/bridge/call.hpp:
pg_extension/src/bridge/postgres.hpp:
