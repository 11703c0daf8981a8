DELETE FROM $schema.loaded_slices WHERE resource = :resource AND slice_start = :slice_start;
INSERT INTO $schema.loaded_slices (resource, slice_start, slice_end, uri, digest, rows, loaded_at)
VALUES (:resource, :slice_start, :slice_end, :uri, :digest, :rows, :loaded_at);
