-- The roles of the application, of whoever runs it, and of tenancyd, with the password that scripts/demo chose.
\getenv password DEMO_PASSWORD
CREATE ROLE chat_owner LOGIN PASSWORD :'password';
CREATE ROLE chat_app LOGIN PASSWORD :'password';
CREATE ROLE chat_api LOGIN PASSWORD :'password';
CREATE ROLE chat_operator LOGIN PASSWORD :'password';
CREATE ROLE tenancyd LOGIN PASSWORD :'password';
CREATE DATABASE chat OWNER chat_owner;
