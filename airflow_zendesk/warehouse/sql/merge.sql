-- The rows of one slice into the table of its resource. `new_rows` holds them; the transaction is the caller's.
-- An id that stands in two slices belongs to the later one: whatever the order of the loads, and whatever is loaded
-- again, so each touched id is settled anew from all the rows that it has.

CREATE TEMP TABLE touched AS
SELECT id FROM new_rows
UNION SELECT id FROM $schema.$table WHERE slice_start = :slice_start
UNION SELECT id FROM $schema.${table}_doubles WHERE slice_start = :slice_start;

CREATE TEMP TABLE pool AS
SELECT $columns FROM new_rows
UNION ALL
SELECT $columns FROM $schema.$table WHERE slice_start <> :slice_start AND id IN (SELECT id FROM touched)
UNION ALL
SELECT $columns FROM $schema.${table}_doubles WHERE slice_start <> :slice_start AND id IN (SELECT id FROM touched);

DELETE FROM $schema.$table WHERE id IN (SELECT id FROM touched);
DELETE FROM $schema.${table}_doubles WHERE id IN (SELECT id FROM touched);

INSERT INTO $schema.$table ($columns)
SELECT $columns FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY slice_start DESC) AS place FROM pool) AS p
WHERE place = 1;

INSERT INTO $schema.${table}_doubles ($columns)
SELECT $columns FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY slice_start DESC) AS place FROM pool) AS p
WHERE place > 1;
