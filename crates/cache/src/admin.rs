//! `/api/cache`: what the cache holds and does, and purges by hand. What `mare cache` asks.
