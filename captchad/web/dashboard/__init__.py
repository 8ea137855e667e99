"""The monitor's page: the fleet at a glance, live, without a build step and without any outside request."""
