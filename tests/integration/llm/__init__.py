"""Language models over real sockets."""
