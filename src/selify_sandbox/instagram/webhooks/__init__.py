"""What the stand-in tells the server under test: event shapes, the queue, its worker."""
