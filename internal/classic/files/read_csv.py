def read_csv(path, columns, folders, null, **options):
    """Delimited text; a line with more or fewer fields is left out."""
    if not folders:
        options["recursiveFileLookup"] = True
    schema = ", ".join(f"`{name}` STRING" for name in [c[0] for c in columns] + ["_corrupt_record"] + [f[0] for f in folders])
    texts = spark.read.csv(path, schema=schema, mode="PERMISSIVE", columnNameOfCorruptRecord="_corrupt_record", **options).where("_corrupt_record IS NULL")
    for name, _, kind in columns:  # an empty field is an empty text, and null in columns of other types
        text = F.coalesce(F.col(name), F.lit("")) if kind == "STRING" else F.when(F.col(name) != "", F.col(name))
        texts = texts.withColumn(name, text if null is None else F.when(text != null, text))
    return typed(texts, columns, folders)
