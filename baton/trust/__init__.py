"""Who signed this, and does it count."""
