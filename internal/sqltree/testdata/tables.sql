CREATE SCHEMA stedi;
CREATE TABLE customer_landing (customerName VARCHAR, email VARCHAR, serialNumber VARCHAR, registrationDate BIGINT, shareWithResearchAsOfDate BIGINT);
INSERT INTO customer_landing VALUES ('A', 'a@x', 's1', 1700000000000, 1700000000000), ('B', 'b@x', 's2', 1700000000000, NULL), ('C', 'c@x', 's3', 1700000000001, 1700000000001), ('C', 'c@x', 's3', 1700000000001, 1700000000001);
CREATE TABLE accelerometer_landing ("user" VARCHAR, "timestamp" BIGINT, x DOUBLE, y DOUBLE, z DOUBLE);
INSERT INTO accelerometer_landing VALUES ('a@x', 1700000000500, 1, 2, 3), ('b@x', 1700000000500, 1, 2, 3), ('c@x', NULL, 0.25, NULL, -1), (NULL, 1, 1, 1, 1);
CREATE TABLE stedi.steps (serialNumber VARCHAR, "at" TIMESTAMP, d INTEGER);
INSERT INTO stedi.steps VALUES ('s1', '2023-11-14 22:13:20.5', 5), ('s1', '2023-11-15 22:13:20.5', 7), ('s9', NULL, 1);
CREATE TABLE steps AS FROM stedi.steps;
