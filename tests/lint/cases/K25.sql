-- fires K25_action_across_tenants orders_customer on shop.orders
ALTER TABLE shop.orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES shop.customers (id) ON DELETE CASCADE;
-- silent K25_action_across_tenants
ALTER TABLE shop.orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES shop.customers (id);
-- silent K25_action_across_tenants
ALTER TABLE shop.orders ADD CONSTRAINT orders_customer FOREIGN KEY (tenant_id, customer_id) REFERENCES shop.customers (tenant_id, id)
    ON DELETE CASCADE;
