SELECT 'ÿ' AS a
