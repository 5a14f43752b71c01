"""Words that every room shares: settings, messages, errors, logs. Imports nothing of ours."""
