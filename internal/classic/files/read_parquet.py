def read_parquet(path, columns, folders):
    """Parquet files; the columns by name, in any case, with the types of the table."""
    rows = spark.read.parquet(path, **({} if folders else {"recursiveFileLookup": True}))
    return rows.select([F.col(f"`{field}`").cast(kind).alias(name) for name, field, kind in columns] + [F.col(name).cast(kind).alias(name) for name, kind in folders])
