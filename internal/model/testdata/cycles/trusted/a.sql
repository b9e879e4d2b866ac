SELECT b.x FROM b b
