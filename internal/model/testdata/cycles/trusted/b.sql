SELECT c.x FROM curated_c c
