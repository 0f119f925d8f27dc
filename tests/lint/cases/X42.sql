-- fires X42_symmetric_key tenancy.signing_key (extension)
SELECT tenancy.add_signing_key('https://login.example', 'a', '{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}', 'shop', ARRAY['*']);
-- silent X42_symmetric_key (extension)
SELECT tenancy.add_signing_key('https://login.example', 'a', '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}', 'shop', ARRAY['*']);
