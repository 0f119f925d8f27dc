-- What the application keeps in Redis of one tenant: a session for each contact, and in database 1
-- the last line of conversations. Commands for redis-cli; run by psql with -v id=TENANT, its output
-- unaligned.
SELECT '{t:' || replace(:'id', '-', '') || '}' AS keys \gset

SELECT format('HSET %s:session:%s name "%s" bot support', :'keys', id, name)
FROM contacts WHERE tenant_id = :'id' ORDER BY id LIMIT 700;

SELECT 'SELECT 1';
SELECT format('SET %s:preview:%s "%s" EX 86400', :'keys', c.id, m.body)
FROM conversations AS c, LATERAL (
    SELECT body FROM messages WHERE conversation_id = c.id ORDER BY sent_at DESC LIMIT 1) AS m
WHERE c.tenant_id = :'id' ORDER BY c.id LIMIT 300;
