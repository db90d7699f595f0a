"""Work that waits: what arrives (inbox), what leaves (outbox), what takes long (jobs), and routines.

Owns ``webhook_events`` and, in ``internal``, the outbox, the jobs and the schedule.
"""
