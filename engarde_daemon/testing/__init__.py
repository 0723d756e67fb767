"""Stand-ins for the outside world, with faults to switch on, for our tests and for users'."""
