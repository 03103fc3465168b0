"""What the sample of each layout becomes, as text that a person has read through."""
