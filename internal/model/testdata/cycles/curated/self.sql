SELECT s.x FROM self s
