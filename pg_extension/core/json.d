pg_extension/core/json.o: pg_extension/core/json.cpp \
 pg_extension/core/json.hpp pg_extension/core/error.hpp
pg_extension/core/json.hpp:
pg_extension/core/error.hpp:
