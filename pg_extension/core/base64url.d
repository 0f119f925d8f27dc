pg_extension/core/base64url.o: pg_extension/core/base64url.cpp \
 pg_extension/core/base64url.hpp
pg_extension/core/base64url.hpp:
