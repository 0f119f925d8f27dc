-- fires X40_literal_tokens lint_app (extension)
ALTER ROLE lint_app SET tenancy.literal_tokens = on;
-- silent X40_literal_tokens (extension)
ALTER ROLE lint_app SET tenancy.literal_tokens = off;
-- fires X40_logged_parameters lint_extension (extension)
SELECT tenancy.add_signing_key('https://login.example', 'a', '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}', 'shop', ARRAY['*']);
ALTER DATABASE lint_extension SET log_min_duration_statement = '1s';
-- silent X40_logged_parameters (extension)
-- No token is accepted here.
ALTER DATABASE lint_extension SET log_min_duration_statement = '1s';
-- silent X40_logged_parameters (extension)
SELECT tenancy.add_signing_key('https://login.example', 'a', '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}', 'shop', ARRAY['*']);
ALTER DATABASE lint_extension SET log_statement = 'ddl';
-- silent X40_literal_tokens (extension)
ALTER ROLE lint_app SET enable_seqscan = on;
-- silent X40_logged_parameters (extension)
SELECT tenancy.add_signing_key('https://login.example', 'a', '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}', 'shop', ARRAY['*']);
ALTER DATABASE lint_extension SET log_min_duration_statement = '1s';
ALTER DATABASE lint_extension SET log_parameter_max_length = 0;
