SELECT z.x FROM a z
