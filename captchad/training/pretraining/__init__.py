"""The making of the packaged model from drawn pictures; of use in a checkout alone, so the wheel leaves it out."""
