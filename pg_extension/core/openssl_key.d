pg_extension/core/openssl_key.o: pg_extension/core/openssl_key.cpp \
 pg_extension/core/openssl_key.hpp pg_extension/core/error.hpp \
 pg_extension/core/sqlstate.hpp
pg_extension/core/openssl_key.hpp:
pg_extension/core/error.hpp:
pg_extension/core/sqlstate.hpp:
