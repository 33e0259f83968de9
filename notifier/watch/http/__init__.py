"""HTTP: what is asked of servers, by the only client, which reaches no private address."""
