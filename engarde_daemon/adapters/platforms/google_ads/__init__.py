"""Google Ads over REST."""
