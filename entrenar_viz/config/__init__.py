"""What the trainer loads, checked: schedules, patterns, the configuration, the length of a training, a named pin.

No numpy arrays of weights, no files but the trainer's own.
"""
