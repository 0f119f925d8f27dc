-- fires O15_definer_trigger answers on shop.request
CREATE TABLE shop.request (id bigint);
CREATE FUNCTION shop.answer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN DELETE FROM shop.orders; RETURN NEW; END';
CREATE TRIGGER answers AFTER INSERT ON shop.request FOR EACH ROW EXECUTE FUNCTION shop.answer();
-- silent O15_definer_trigger
-- As whoever gave the command.
CREATE FUNCTION shop.answer() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM shop.orders; RETURN NEW; END';
CREATE TRIGGER answers AFTER INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.answer();
-- fires O15_definer_trigger_unknown stamp on shop.orders
CREATE FUNCTION shop.stamp() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER stamp BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.stamp();
-- silent O15_definer_trigger_unknown
CREATE FUNCTION shop.stamp() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN NEW; END';
ALTER FUNCTION shop.stamp() OWNER TO lint_owner;
CREATE TRIGGER stamp BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.stamp();
-- silent O15_definer_trigger
CREATE FUNCTION shop.answer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN DELETE FROM shop.orders; RETURN NEW; END';
ALTER FUNCTION shop.answer() OWNER TO lint_owner; -- whom the policies bind
CREATE TRIGGER answers AFTER INSERT ON shop.country FOR EACH ROW EXECUTE FUNCTION shop.answer();
-- silent O15_definer_trigger_unknown
CREATE FUNCTION shop.answer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN DELETE FROM shop.customers; RETURN NEW; END';
CREATE TRIGGER answers AFTER INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.answer(); -- known: O15_definer_trigger
CREATE FUNCTION shop.stamp() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER stamp AFTER INSERT ON shop.country FOR EACH ROW EXECUTE FUNCTION shop.stamp();
