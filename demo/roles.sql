-- The roles of the application and of whoever runs it; one password for each, from scripts/demo.
CREATE ROLE chat_owner LOGIN PASSWORD :'password';
CREATE ROLE chat_app LOGIN PASSWORD :'password';
CREATE ROLE chat_api LOGIN PASSWORD :'password';
CREATE ROLE chat_operator LOGIN PASSWORD :'password';
CREATE DATABASE chat OWNER chat_owner;
