"""A stand-in for the library of AWS Glue: as much of it as the jobs use, on a plain Spark session."""
