"""Questions to a staging target: what does its API really do?"""
