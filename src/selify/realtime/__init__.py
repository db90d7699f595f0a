"""Changes of published tables, passed on to programs and pages that subscribed (``/api/v1/realtime``).

The database tells of every change by key (``db/functions/realtime.sql``); what there is to see of it
is read again as the subscriber, under row level security and column privileges.

Owns no table.
Offers an address of the API, and nothing to other wings.
Needs ``auth``.
"""
