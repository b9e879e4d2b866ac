SELECT c.x FROM one c
