-- fires O21_publication feed
CREATE PUBLICATION feed FOR TABLE shop.orders;
-- fires O21_publication feed
CREATE PUBLICATION feed FOR TABLES IN SCHEMA shop;
-- silent O21_publication
CREATE PUBLICATION feed FOR TABLE shop.country;
-- silent O21_publication
CREATE SCHEMA other;
CREATE TABLE other.country (code text);
CREATE PUBLICATION feed FOR TABLES IN SCHEMA other;
