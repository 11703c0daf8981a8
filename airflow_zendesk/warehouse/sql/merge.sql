-- The rows of one slice into the table of its resource. `new_rows` holds them; the transaction is the caller's.
-- An id that stands in two slices belongs to the later one, whatever the order of the loads, and whatever is loaded
-- again. So all that other slices have of the touched ids goes to the doubles first (it is little, or nothing), and the
-- latest comes back.

CREATE TEMP TABLE touched AS
SELECT id FROM new_rows
UNION SELECT id FROM $schema.$table WHERE slice_start = :slice_start
UNION SELECT id FROM $schema.${table}_doubles WHERE slice_start = :slice_start;

ANALYZE touched;

DELETE FROM $schema.${table}_doubles WHERE slice_start = :slice_start;

INSERT INTO $schema.${table}_doubles ($columns)
SELECT $columns FROM $schema.$table WHERE slice_start <> :slice_start AND id IN (SELECT id FROM touched);

DELETE FROM $schema.$table WHERE id IN (SELECT id FROM touched);

INSERT INTO $schema.${table}_doubles ($columns)
SELECT $columns FROM new_rows
WHERE id IN (SELECT id FROM $schema.${table}_doubles WHERE slice_start > :slice_start);

INSERT INTO $schema.$table ($columns)
SELECT $columns FROM new_rows
WHERE id NOT IN (SELECT id FROM $schema.${table}_doubles WHERE slice_start > :slice_start);

INSERT INTO $schema.$table ($columns)
SELECT $columns FROM (
    SELECT *, row_number() OVER (PARTITION BY id ORDER BY slice_start DESC) AS place
    FROM $schema.${table}_doubles AS d
    WHERE id IN (SELECT id FROM touched) AND NOT EXISTS (SELECT 1 FROM $schema.$table AS t WHERE t.id = d.id)
) AS others
WHERE place = 1;

DELETE FROM $schema.${table}_doubles AS d
WHERE id IN (SELECT id FROM touched) AND EXISTS (
    SELECT 1 FROM $schema.$table AS t WHERE t.id = d.id AND t.slice_start = d.slice_start
);
