-- fires O16_open_child shop.events_old
ALTER TABLE shop.events_old DISABLE ROW LEVEL SECURITY;
-- silent O16_open_child
CREATE TABLE shop.parent (id integer);
CREATE TABLE shop.child () INHERITS (shop.parent);
-- silent O16_open_child
CREATE TABLE shop.parent (tenant_id uuid); -- C09
CREATE TABLE shop.child () INHERITS (shop.parent);
