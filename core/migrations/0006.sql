-- A statement of what continues what that was withdrawn, or turned out to stand under the id of something else, counted
-- still. And of several logs that hold the same record each could give way to the next one, so that it was listed
-- nowhere: `prefer` is of one order now. What continues what is made anew here, once.
DELETE FROM continuation WHERE NOT EXISTS (SELECT 1 FROM entry JOIN item ON item.id = entry.item
    JOIN payload ON payload.id = entry.id WHERE entry.id = continuation.entry AND item.type = 11);
DELETE FROM kin;
WITH RECURSIVE believed(holder, new_id, old_id, size) AS (
        SELECT entry >> 40, log_id, old_id, size FROM continuation WHERE entry & 1099511627775 = 0
        UNION SELECT holder, c.log_id, c.old_id, c.size FROM believed
        JOIN continuation AS c ON c.log_id = believed.old_id AND c.entry >> 40 = holder),
    below(new_id, old_id, size) AS (
        SELECT new_id, old_id, size FROM believed
        UNION SELECT below.new_id, believed.old_id, believed.size FROM below
        JOIN believed ON believed.new_id = below.old_id),
    heir(old, new, size) AS (
        SELECT o.id, n.id, min(below.size) FROM below
        JOIN log AS n ON n.log_id = new_id JOIN log AS o ON o.log_id = old_id
        WHERE n.id <> o.id AND NOT EXISTS (SELECT 1 FROM below AS b
            WHERE b.new_id = below.old_id AND b.old_id = below.new_id)
        GROUP BY o.id, n.id),
    depth(log, of) AS MATERIALIZED (
        SELECT log.id, count(DISTINCT old_id) FROM below JOIN log ON log.log_id = new_id
        WHERE old_id <> new_id GROUP BY log.id)
INSERT INTO kin(log, other, relation, prefer, size)
    SELECT old, new, 1, 1, size FROM heir
    UNION ALL SELECT new, old, 2, 0, size FROM heir
    UNION ALL SELECT DISTINCT x.id, y.id, 3, (dy.of, y.id) > (dx.of, x.id), 0 FROM below AS a
    JOIN below AS b ON b.old_id = a.old_id AND b.new_id <> a.new_id
    JOIN log AS x ON x.log_id = a.new_id JOIN log AS y ON y.log_id = b.new_id
    CROSS JOIN depth AS dx ON dx.log = x.id CROSS JOIN depth AS dy ON dy.log = y.id
    WHERE a.new_id <> a.old_id AND b.new_id <> b.old_id AND NOT EXISTS (SELECT 1 FROM below AS c
        WHERE c.new_id = a.new_id AND c.old_id = b.new_id OR c.new_id = b.new_id AND c.old_id = a.new_id);
-- Where nothing is related any more, nothing was erased for another log's sake: it is taken when it comes again.
UPDATE item SET erased = 0 WHERE erased IN (2, 3) AND log NOT IN (SELECT log FROM kin);
