"""`roster forget`: removes a person here and in the target."""
