def value(name, kind):
    """SQL that makes a value of a text, null where it does not fit. Whole numbers may be written as 7.0 or 1.7e12; times with a zone become UTC."""
    if kind in ("TINYINT", "SMALLINT", "INT", "BIGINT"):
        return f"CASE WHEN try_cast(`{name}` AS DECIMAL(38,6)) % 1 = 0 THEN try_cast(try_cast(`{name}` AS DECIMAL(38,6)) AS {kind}) END"
    if kind == "TIMESTAMP_NTZ":
        return f"CAST(try_cast(`{name}` AS TIMESTAMP_LTZ) AS TIMESTAMP_NTZ)"
    return f"`{name}`" if kind == "STRING" or "<" in kind else f"try_cast(`{name}` AS {kind})"


def typed(texts, columns, folders):
    """Makes rows of texts. One of which a text does not fit its column is left out."""
    rows = texts.where(" AND ".join(f"(`{name}` IS NULL OR {value(name, kind)} IS NOT NULL)" for name, _, kind in columns))
    return rows.select([F.expr(value(name, kind)).alias(name) for name, _, kind in columns] + [F.col(name).cast(kind).alias(name) for name, kind in folders])
