SELECT t.email, r.x, r.day FROM t JOIN readings r ON r.user = t.email
