"""What those who run the service ask: is it well, what does it do, may it stop."""
