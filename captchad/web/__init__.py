"""aiohttp servers: the server itself, what every request passes, the gateway's API and the routes of every role."""
