pg_extension/src/context/registry.o: \
 pg_extension/src/context/registry.cpp \
 pg_extension/src/context/registry.hpp \
 pg_extension/src/bridge/postgres.hpp pg_extension/src/context/state.hpp \
 pg_extension/src/context/errors.hpp
pg_extension/src/context/registry.hpp:
pg_extension/src/bridge/postgres.hpp:
pg_extension/src/context/state.hpp:
pg_extension/src/context/errors.hpp:
