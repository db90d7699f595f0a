"""Accounts, conversations and messages, whatever the platform.

Owns connected accounts, their health, limits and subscriptions, conversations and their messages.
Nothing here knows a platform by name: ``ports`` says what one must be able to do.
"""
