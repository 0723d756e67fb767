-- Reads by key go by the key, whatever the tables held when a session made its plan.
--
-- `staged_bodies` is empty most of the time, and a plan that is made then reads it through; so a read of
-- one item cost as much as everything that waited for delivery, and went on to until the next vacuum.
-- What 0043 did for those who carry on after a write, this does for readers.
alter function engarde.read_items_v1(text[], text[]) set enable_seqscan = off;
alter function engarde.read_version_v1(text, text, integer) set enable_seqscan = off;
alter function engarde.read_staged_v1(text, text[], integer[]) set enable_seqscan = off;
alter function engarde.commit_writes_v1(jsonb, text[], jsonb) set enable_seqscan = off;
