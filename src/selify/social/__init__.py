"""The social domain. Owns connected accounts, posts and their garments, conversations and messages,
the bot that moves them, and the sending of answers.

The way of an event: ``events.handle`` (inbox) → ``dialogue.decide`` (pure) → ``conversations`` and
``interactions`` (rows) → outbox → ``sending`` (rate, window, platform). Nothing here knows a
platform by name: ``ports`` says what one must be able to do.
"""
