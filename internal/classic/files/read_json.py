def read_json(path, columns, folders):
    """JSON objects, one or more a line. Names match in any case, as in Athena; an object with a field twice is left out."""
    spark.conf.set("spark.sql.caseSensitive", "true")
    lines = spark.read.text(path, **({} if folders else {"recursiveFileLookup": True}))
    objects = lines.withColumn("value", F.explode(F.split("value", r"(?<=\})\s*(?=\{)"))).withColumn("names", F.json_object_keys("value"))
    objects = objects.where("size(names) = size(array_distinct(transform(names, name -> lower(name))))")
    found = [row[0] for row in objects.select(F.explode("names")).distinct().collect()]
    spelt = {name: [f for f in found if f.lower() == field.lower()] or [field] for name, field, _ in columns}
    fields = ", ".join(f"`{field}` {kind if '<' in kind else 'STRING'}" for name, _, kind in columns for field in spelt[name])
    record = F.from_json("value", fields + ", _corrupt_record STRING", {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": "_corrupt_record"})
    records = objects.withColumn("record", record).where("record IS NOT NULL AND record._corrupt_record IS NULL")
    texts = records.select(*[F.coalesce(*[F.col("record")[field] for field in spelt[name]]).alias(name) for name, _, _ in columns], *[name for name, _ in folders])
    spark.conf.set("spark.sql.caseSensitive", "false")
    return typed(texts, columns, folders)
