-- What the application keeps in MongoDB, of the newest conversations of one tenant: statements for
-- demo/mongo.py. Run by psql with -v id=TENANT, its output unaligned.
SELECT 'use t_' || replace(:'id', '-', '');

SELECT format('db.transcripts.insertMany(%s)', json_agg(transcript))
FROM (
    SELECT json_build_object('_id', c.id, 'bot', b.handle, 'contact', p.name, 'turns', (
               SELECT json_agg(json_build_object('author', m.author, 'body', m.body) ORDER BY m.sent_at)
               FROM messages AS m WHERE m.conversation_id = c.id)) AS transcript
    FROM conversations AS c JOIN bots AS b ON b.id = c.bot_id JOIN contacts AS p ON p.id = c.contact_id
    WHERE c.tenant_id = :'id' ORDER BY c.id LIMIT 500
) AS newest;

SELECT replace(format('db.attachments.insertMany(%s)', json_agg(attachment)), '"now"',
               format('ISODate("%s")', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')))
FROM (
    SELECT json_build_object('_id', a.id, 'file', a.file_name, 'bytes', a.bytes, 'stored', 'now') AS attachment
    FROM message_attachments AS a JOIN messages AS m ON m.id = a.message_id
    WHERE m.tenant_id = :'id' ORDER BY a.id LIMIT 200
) AS newest;
