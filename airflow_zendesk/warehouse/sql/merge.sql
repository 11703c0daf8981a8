-- Merges `new_rows`, the rows of one slice, into the table of its resource. The caller opens the transaction.
-- An id that occurs in two slices belongs to the later one, whatever the order of the loads; if it is that of an object
-- that changes, to the slice with its newest version. Therefore the rows that other slices have of the affected ids
-- (usually none) first move to the duplicates, and the latest of them moves back.

CREATE TEMP TABLE affected_ids AS
SELECT id FROM new_rows
UNION SELECT id FROM $schema.$table WHERE slice_start = :slice_start
UNION SELECT id FROM $schema.${table}_duplicates WHERE slice_start = :slice_start;

ANALYZE affected_ids;

DELETE FROM $schema.${table}_duplicates WHERE slice_start = :slice_start;

INSERT INTO $schema.${table}_duplicates ($columns)
SELECT $columns FROM $schema.$table WHERE slice_start <> :slice_start AND id IN (SELECT id FROM affected_ids);

DELETE FROM $schema.$table WHERE id IN (SELECT id FROM affected_ids);

INSERT INTO $schema.${table}_duplicates ($columns)
SELECT $columns FROM new_rows AS n
WHERE EXISTS (SELECT 1 FROM $schema.${table}_duplicates AS d WHERE d.id = n.id AND $is_later);

INSERT INTO $schema.$table ($columns)
SELECT $columns FROM new_rows AS n
WHERE NOT EXISTS (SELECT 1 FROM $schema.${table}_duplicates AS d WHERE d.id = n.id AND $is_later);

INSERT INTO $schema.$table ($columns)
SELECT $columns FROM (
    SELECT *, row_number() OVER (PARTITION BY id ORDER BY $latest_first) AS place
    FROM $schema.${table}_duplicates AS d
    WHERE id IN (SELECT id FROM affected_ids) AND NOT EXISTS (SELECT 1 FROM $schema.$table AS t WHERE t.id = d.id)
) AS others
WHERE place = 1;

DELETE FROM $schema.${table}_duplicates AS d
WHERE id IN (SELECT id FROM affected_ids) AND EXISTS (
    SELECT 1 FROM $schema.$table AS t WHERE t.id = d.id AND t.slice_start = d.slice_start
);
