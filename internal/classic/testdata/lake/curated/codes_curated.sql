SELECT c.code, c.n, s.n AS m FROM codes_landing c LEFT JOIN stock_landing s ON s.code = c.code
