-- fires O21_publication feed
CREATE PUBLICATION feed FOR TABLE shop.orders;
-- fires O21_publication feed
CREATE PUBLICATION feed FOR TABLES IN SCHEMA shop;
-- silent O21_publication
CREATE PUBLICATION feed FOR TABLE shop.country;
