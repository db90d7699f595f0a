"""README's performance table: one file per figure, measured side by side in one run.

``make bench`` or ``python -m bench`` runs them all, ``python -m bench intake`` one of them and
``--quick`` fewer and shorter rounds. Each writes ``bench/results.json`` and the table in README.md.
"""
