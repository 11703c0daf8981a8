"""The dataset format: slices of one grain, each one Parquet object, and the settings they were made with."""
