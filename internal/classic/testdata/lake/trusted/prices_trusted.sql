SELECT p.code, p.price, p.n, p.x, p.day, p.at, p.ok FROM prices_landing p
