/* @tarn
description: "What's \"\"\"Happened\"\"\" $HOME | \\: events with all their \\ parts, \"\"\"and more\"\"\""
*/
SELECT
  e.id,       -- "quoted", it's \ back
  e.userName,
  e.at,
  e.ok,
  e.price,
  e.tags,
  e.place,
  e.day,
  e.kind,
  e.place.city AS city,
  'a\b''c """' AS awkward
FROM events_landing e
