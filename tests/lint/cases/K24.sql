-- fires K24_reference_without_tenant orders_customer on shop.orders
ALTER TABLE shop.orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES shop.customers (id);
-- silent K24_reference_without_tenant
ALTER TABLE shop.orders ADD country text REFERENCES shop.country;
-- fires K24_constraint_switched_off parent on shop.part
CREATE TABLE shop.part (tenant_id uuid, id bigint, parent_id bigint, PRIMARY KEY (tenant_id, id),
    CONSTRAINT parent FOREIGN KEY (tenant_id, parent_id) REFERENCES shop.part);
ALTER TABLE shop.part DISABLE TRIGGER ALL;
-- silent K24_constraint_switched_off
CREATE TABLE shop.part (tenant_id uuid, id bigint, parent_id bigint, PRIMARY KEY (tenant_id, id),
    CONSTRAINT parent FOREIGN KEY (tenant_id, parent_id) REFERENCES shop.part);
ALTER TABLE shop.part DISABLE TRIGGER ALL;
ALTER TABLE shop.part ENABLE TRIGGER ALL;
-- silent K24_constraint_switched_off
-- A trigger of one's own may be off.
CREATE FUNCTION shop.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER stamp BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.stamp();
ALTER TABLE shop.orders DISABLE TRIGGER stamp;
