-- fires K24_reference_without_tenant orders_customer on shop.orders
ALTER TABLE shop.orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES shop.customers (id);
-- silent K24_reference_without_tenant
ALTER TABLE shop.orders ADD country text REFERENCES shop.country;
