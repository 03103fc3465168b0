"""Reading a OneRoster REST source, over real HTTP."""
