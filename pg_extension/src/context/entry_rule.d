pg_extension/src/context/entry_rule.o: \
 pg_extension/src/context/entry_rule.cpp \
 pg_extension/src/context/entry_rule.hpp \
 pg_extension/src/bridge/postgres.hpp \
 pg_extension/src/context/registry.hpp pg_extension/src/context/state.hpp
pg_extension/src/context/entry_rule.hpp:
pg_extension/src/bridge/postgres.hpp:
pg_extension/src/context/registry.hpp:
pg_extension/src/context/state.hpp:
