"""The shell of every page, live by server-sent events from PostgreSQL's own notifications.

Owns no table.
Offers ``pages`` (what a wing brings), ``context`` (what a page is opened with), ``rendering``, ``parts``, ``view``,
``forms``, ``charts``, ``periods``, ``installing`` and, in ``ports``, what it asks of others.
Needs no other wing; who is signed in it asks of the port ``People``.
"""
