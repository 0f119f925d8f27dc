-- fires O20_sequence_privilege shop.note_id_seq
CREATE TABLE shop.note (id bigserial, tenant_id uuid);
GRANT SELECT ON SEQUENCE shop.note_id_seq TO lint_app;
-- silent O20_sequence_privilege
CREATE TABLE shop.note (id bigserial, tenant_id uuid);
GRANT USAGE ON SEQUENCE shop.note_id_seq TO lint_app;
CREATE SEQUENCE shop.invoice;
GRANT ALL ON SEQUENCE shop.invoice TO lint_app;
-- fires O20_number_for_all shop.note.id
CREATE TABLE shop.note (id bigint GENERATED ALWAYS AS IDENTITY, tenant_id uuid);
-- silent O20_number_for_all
CREATE TABLE shop.note (id uuid DEFAULT gen_random_uuid(), tenant_id uuid);
CREATE TABLE shop.city (id bigserial);
-- silent O20_sequence_privilege
CREATE TABLE shop.city (id bigserial);
GRANT ALL ON SEQUENCE shop.city_id_seq TO lint_app;
