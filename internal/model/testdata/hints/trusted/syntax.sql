SELECT r.user,
FROM r
WHER r.x > 1