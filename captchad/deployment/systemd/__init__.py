"""Deploys captchad as units of systemd: a pure plan, and thin hands that carry it out."""
