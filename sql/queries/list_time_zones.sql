-- The IANA names of the time zones that this Postgres knows. Without what its folder has besides: another's machine's choice, zones that
-- stand for none, and copies in folders of their own. Nor the four whose names it takes for abbreviations, without summer time.
-- No binds, no index: for each name a file is read, so it runs once a process.
select z.name
from pg_timezone_names z
where z.name not in ('Factory', 'localtime', 'posixrules', 'CET', 'EET', 'MET', 'WET')
    and z.name not like 'posix/%' and z.name not like 'right/%'
