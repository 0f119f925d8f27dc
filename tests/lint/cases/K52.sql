-- fires K52_not_validated orders_customer on shop.orders
ALTER TABLE shop.orders ADD CONSTRAINT orders_customer FOREIGN KEY (tenant_id, customer_id) REFERENCES shop.customers (tenant_id, id) NOT VALID;
-- silent K52_not_validated
ALTER TABLE shop.orders ADD country text, ADD FOREIGN KEY (country) REFERENCES shop.country NOT VALID;
-- fires K52_validated_under_policies orders_customer on shop.orders (by hand)
ALTER TABLE shop.orders ADD CONSTRAINT orders_customer FOREIGN KEY (tenant_id, customer_id) REFERENCES shop.customers (tenant_id, id);
-- silent K52_validated_under_policies (by hand)
ALTER TABLE shop.orders OWNER TO postgres; -- who sees all rows
ALTER TABLE shop.orders ADD CONSTRAINT orders_customer FOREIGN KEY (tenant_id, customer_id) REFERENCES shop.customers (tenant_id, id);
-- silent K52_validated_under_policies (by hand)
ALTER TABLE shop.orders ADD CONSTRAINT orders_customer FOREIGN KEY (tenant_id, customer_id) REFERENCES shop.customers (tenant_id, id) NOT VALID;
-- silent K52_validated_under_policies (extension)
-- The extension has keys validated with all rows in view.
ALTER TABLE shop.orders ADD CONSTRAINT orders_customer FOREIGN KEY (tenant_id, customer_id) REFERENCES shop.customers (tenant_id, id);
