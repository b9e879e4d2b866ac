-- The tables that the cases read. Each has edge values of its kind, and k to tell its rows apart.
CREATE TABLE numbers (k INTEGER, t TINYINT, s SMALLINT, i INTEGER, b BIGINT, f FLOAT, d DOUBLE, p DECIMAL(10,2), q DECIMAL(38,10), w DECIMAL(18,4));
INSERT INTO numbers VALUES
  (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (2, 0, 0, 0, 0, 0, 0, 0, 0, 0),
  (3, 1, 1, 1, 1, 1, 1, 1, 1, 1),
  (4, -1, -1, -1, -1, -1, -1, -1, -1, -1),
  (5, 7, 300, 70000, 5000000000, 1.5, 2.5, 2.50, 2.5, 0.0001),
  (6, -7, -300, -70000, -5000000000, -1.5, -2.5, -2.50, -2.5, -0.0001),
  (7, 2, 2, 2, 2, 0.1, 0.1, 0.05, 0.0000000001, 12345678901234.5678),
  (8, 3, 3, 3, 3, '-0.0', '-0.0', 0.01, -0.0000000001, -12345678901234.5678),
  (9, 4, 4, 4, 4, 'NaN', 'NaN', 1.005, 1234567890.0123456789, 3.3333),
  (10, 5, 5, 5, 5, 'Infinity', 'Infinity', 9999.99, 0.3333333333, 99999.9999),
  (11, 6, 6, 6, 6, '-Infinity', '-Infinity', -9999.99, -0.3333333333, -99999.9999),
  (12, 1, 1, 1, 1, 2.675, 1.005, 1.45, 1.5, 1.5),
  (13, 1, 1, 1, 1, 0.5, 0.49999999999999994, 1.55, 0.5, 0.5),
  (14, 1, 1, 1, 1, 16777216, 9007199254740993, 123.45, 9007199254740993, 9007199254740.993);
-- The least and greatest of each type; most arithmetic with them is an error, on purpose.
CREATE TABLE extremes (k INTEGER, t TINYINT, s SMALLINT, i INTEGER, b BIGINT, f FLOAT, d DOUBLE, p DECIMAL(10,2), q DECIMAL(38,10), z DECIMAL(38,0));
INSERT INTO extremes VALUES
  (1, 127, 32767, 2147483647, 9223372036854775807, 3.4028235e38, 1.7976931348623157e308, 99999999.99, 9999999999999999999999999999.9999999999, 99999999999999999999999999999999999999),
  (2, -128, -32768, -2147483648, -9223372036854775808, -3.4028235e38, -1.7976931348623157e308, -99999999.99, -9999999999999999999999999999.9999999999, -99999999999999999999999999999999999999),
  (3, 0, 0, 0, 0, 1.1754944e-38, 2.2250738585072014e-308, 0.01, 0.0000000001, 1),
  (4, 1, 1, 1, 1, 1.4e-45, 4.9e-324, -0.01, -0.0000000001, -1);
CREATE TABLE texts (k INTEGER, s VARCHAR, o VARCHAR, n INTEGER);
INSERT INTO texts VALUES
  (1, NULL, NULL, NULL), (2, '', '', 0), (3, ' ', 'x', 1), (4, 'abc', 'b', 2), (5, 'ABC', 'abc', 3), (6, '  a b  ', 'a', -1),
  (7, 'zwölf Größen', 'ö', 4), (8, 'straße ŉ ﬁ ΐ ǰ', 'ß', -2), (9, 'İstanbul ΑΣ Σ ı', 'Σ', 5), (10, 'e' || chr(769) || 'x', 'e', -3),
  (11, '👨‍👩‍👧 🇩🇪 日本語', '日', 6), (12, 'it''s "q" \ back', '\', -10), (13, '100%_x', '%', 7), (14, '${HOME} $1 \1', '$', 100),
  (15, 'a' || chr(10) || 'b' || chr(9) || 'c' || chr(13) || 'd', chr(10), -100), (16, chr(160) || 'nb' || chr(12288), chr(160), 8), (17, chr(9) || 'tab' || chr(9), 't', 9), (18, 'a-b--c-', '-', 10),
  (19, 'a,b;c', ',', -5), (20, 'aaa', 'aa', 2), (21, '0', '0', 0), (22, 'null', 'NULL', 1), (23, 'ÄÖÜ äöü ẞ', 'ä', 3), (24, 'xyxyx', 'xyx', 2), (25, 'naïve café ÅΩ', 'é', 11),
  (26, 'x' || chr(11) || 'y' || chr(133) || 'z', chr(11), 2), (27, 'abc', 'b', 2);
-- What can stand in a text that is cast.
CREATE TABLE spelt (k INTEGER, number VARCHAR, day VARCHAR, time VARCHAR, yes VARCHAR);
INSERT INTO spelt VALUES
  (1, NULL, NULL, NULL, NULL), (2, '12', '2024-02-29', '2024-02-29 23:59:59', 'true'), (3, '-12', '1969-12-31', '1969-12-31 23:59:59.999999', 'false'), (4, '0', '0001-01-01', '0001-01-01 00:00:00', 'TRUE'),
  (5, '007', '9999-12-31', '9999-12-31 23:59:59.5', 'False'), (6, '1', '2024-03-31', '2024-03-31T02:30:00', 't'), (7, '100', '2024-10-27', '2024-10-27T02:30:00.123', 'f');
CREATE TABLE times (k INTEGER, ts TIMESTAMP, day DATE, ms BIGINT);
INSERT INTO times VALUES
  (1, NULL, NULL, NULL), (2, '1970-01-01 00:00:00', '1970-01-01', 0), (3, '1969-12-31 23:59:59.999999', '1969-12-31', -1), (4, '2024-02-29 12:34:56.789012', '2024-02-29', 1709210096789),
  (5, '2024-03-31 01:30:00', '2024-03-31', 1711848600000), (6, '2024-03-31 02:30:00', '2024-03-31', 1711852200000), (7, '2024-10-27 02:30:00', '2024-10-27', 1729996200000), (8, '2024-03-10 02:30:00', '2024-03-10', 1710037800000),
  (9, '1900-01-01 00:00:00', '1900-01-01', -2208988800000), (10, '1582-10-10 00:00:00.000001', '1582-10-10', -12219379200001), (11, '0001-01-01 00:00:00', '0001-01-01', -62135596800000), (12, '9999-12-31 23:59:59.999999', '9999-12-31', 253402300799999),
  (13, '2020-12-31 23:59:59', '2020-12-31', 1609459199000), (14, '2021-01-03 00:00:00', '2021-01-03', 1609632000000), (15, '2021-01-04 00:00:00', '2021-01-04', 1609718400000), (16, '2016-12-31 23:59:59.5', '2016-12-31', 1483228799500),
  (17, '1969-12-31 23:59:59.5', '1969-12-31', -500), (18, '2023-01-31 10:00:00', '2023-01-31', 1675159200000), (19, '2024-02-29 12:34:56.789012', '2024-02-29', 1709210096789), (20, '1000-02-28 06:07:08', '1000-02-28', -30604675972000);
CREATE TABLE flags (k INTEGER, a BOOLEAN, b BOOLEAN);
INSERT INTO flags VALUES (1, true, true), (2, true, false), (3, true, NULL), (4, false, true), (5, false, false), (6, false, NULL), (7, NULL, true), (8, NULL, false), (9, NULL, NULL);
-- Rows that are there several times, with nulls.
CREATE TABLE bag (g VARCHAR, n INTEGER, x DOUBLE);
INSERT INTO bag VALUES ('a', 1, 0.5), ('a', 1, 0.5), ('a', 2, -0.25), ('b', NULL, NULL), ('b', NULL, NULL), (NULL, 3, 1.5), (NULL, NULL, 'NaN'), ('', 4, '-0.0'), ('', 4, 0.0), ('A', 5, 'NaN'), ('c', NULL, NULL);
CREATE TABLE other (g VARCHAR, n BIGINT, x FLOAT);
INSERT INTO other VALUES ('a', 1, 0.5), ('b', NULL, NULL), ('b', 7, 2), (NULL, 3, 1.5), ('d', 4, 'NaN'), ('d', 4, 'NaN');
CREATE TABLE nothing (g VARCHAR, n INTEGER, x DOUBLE, ts TIMESTAMP, p DECIMAL(10,2), b BIGINT, ok BOOLEAN);
CREATE TABLE nested (k INTEGER, person STRUCT("name" VARCHAR, age INTEGER, home STRUCT(city VARCHAR)), tags VARCHAR[], sizes MAP(VARCHAR, INTEGER));
INSERT INTO nested VALUES (1, {'name': 'A', 'age': 1, 'home': {'city': 'X'}}, ['a', NULL], MAP {'s': 1}), (2, {'name': NULL, 'age': NULL, 'home': NULL}, [], MAP {}), (3, NULL, NULL, NULL);
CREATE TABLE documents (k INTEGER, j VARCHAR);
INSERT INTO documents VALUES (1, NULL), (2, '{"a": 1, "b": {"c": "text", "d": [1, 2, {"e": "deep"}]}, "u": "zwölf \u00e9 \n \"q\"", "n": null, "t": true, "f": 1.50, "x": 1e2, "big": 12345678901234567890, "o": {"z": 1, "y": "w"}}'),
  (3, '{}'), (4, 'no json'), (5, ''), (6, '[1, 2]'), (7, '"text"'), (8, '{"a": "x", "a": "y"}'), (9, '{"a.b": 1, "A": 2}'), (10, '{"a": 1} x'), (11, '{''a'': 1}'), (12, 'null'), (13, '{"a": ""}'), (14, '{"a": [ ]}'), (15, '{"a": {"b": null}}'), (16, '{"a": -0.0, "b": 1.0}'), (17, '{"a": 1');
