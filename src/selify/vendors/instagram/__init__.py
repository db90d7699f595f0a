"""Instagram (Instagram Login flavour): our side of the wire, and nothing about try-ons.

* coming in: ``webhook`` (handshake, signature, a delivery taken apart), ``webhook_events`` (the typed
  events), ``signed_request`` (app removed, data to delete), ``media_hosts`` (what may be fetched)
* going out: ``client`` (Graph API), ``oauth`` (consent and tokens), ``payloads`` and ``text`` (messages
  within limits), ``errors`` (what went wrong and what to do)

Owns no table.
Offers nothing but its ``wiring``.
Needs ``messaging``, whose port ``Platform`` it fills.
"""
