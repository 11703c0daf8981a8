"""What an export leaves in storage: slices of one grain, each one Parquet object, and a record of how they are made."""
