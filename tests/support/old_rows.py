"""Rows of the first schema, for tests of its upgrade."""

STAMP = "2026-03-02 09:00:00+00:00"
OLD_ROWS = {
    "profile": {
        "id": 1, "slug": "x", "name": "X", "summary": "", "stage": "",
        "document": '{"slug": "x"}', "imported_at": STAMP, "position": 3,
    },
    "source": {
        "id": 1, "kind": "feed", "url": "https://x.example.org", "name": "X", "authority": "news",
        "created_at": STAMP, "next_poll_at": STAMP, "failures": 0, "baselined_at": STAMP,
    },
    "subscriber": {
        "id": 1, "email": "anna@example.org", "address_hash": "h", "language": "en",
        "time_zone": "UTC", "created_at": STAMP,
    },
    "subscription": {
        "id": 1, "subscriber_id": 1, "profile_id": 1, "cadence": "daily", "at": "08:00",
        "edition": "patient", "status": "confirmed", "link_id": "l", "position": 2,
        "created_at": STAMP,
    },
    "delivery": {
        "id": 1, "kind": "confirmation", "subscription_id": 1, "message_id": "<1@x>",
        "status": "sent", "attempts": 1, "created_at": STAMP, "due_at": STAMP,
        "next_attempt_at": STAMP, "given_up_at": STAMP,
    },
}  # fmt: skip
