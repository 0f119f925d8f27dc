-- fires C01_row_security_off shop.orders
ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY;
-- silent C01_row_security_off
CREATE TABLE shop.plain (id integer);
