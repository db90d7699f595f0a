"""API keys: with them programs act in one workspace, within the scopes that were given to the key.

A key is no person. Its requests run under its own id, as a member of its workspace with the least role that
its scopes need; row level security sees no other workspace's rows, whatever an endpoint forgets to ask
(docs/decisions/0165-how-an-api-key-acts.md).
"""
