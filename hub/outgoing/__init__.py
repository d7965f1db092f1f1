"""What leaves the site by itself: news to webhooks, and who is where to an MQTT broker.

A process of its own (`passerby notify run`) looks at the site's database, puts what is worth telling into an outbox on
disk, and carries that to everybody who is to be told. Nothing here can stall the hub: it does not know of any of this.
"""
