"""Working days in mainland China, 2024 to 2026: how each year departs from Monday to Friday.

Source: the State Council General Office's yearly holiday notices (国办发明电〔2023〕7号,
〔2024〕12号, 〔2025〕7号), cross-checked day by day with chinesecalendar 1.11.0 (251, 248 and
248 working days).  To add a year, add its two lines once the notice is out, usually in
November; until then the year is "not published" and no deadline in it can be stated.
"""

from __future__ import annotations

#: Year -> the weekdays nobody works, as MMDD.
DAYS_OFF = {
    2024: "0101 0212 0213 0214 0215 0216 0404 0405 0501 0502 0503 0610 0916 0917 1001 1002 1003 1004 1007",
    2025: "0101 0128 0129 0130 0131 0203 0204 0404 0501 0502 0505 0602 1001 1002 1003 1006 1007 1008",
    2026: "0101 0102 0216 0217 0218 0219 0220 0223 0406 0501 0504 0505 0619 0925 1001 1002 1005 1006 1007",
}

#: Year -> the Saturdays and Sundays worked instead (调休), as MMDD.
MADE_UP = {
    2024: "0204 0218 0407 0428 0511 0914 0929 1012",
    2025: "0126 0208 0427 0928 1011",
    2026: "0104 0214 0228 0509 0920 1010",
}
