SELECT rule, severity, object_type, object, message, why, demonstration, fix, fingerprint
FROM told
WHERE object IS NOT NULL
ORDER BY array_position(ARRAY['error', 'warning', 'info'], severity), rule, object, detail;
