"""Weather and calendars: typical years, sun and walls, a seeded generator, forecasts with error, occupancy and tariffs."""
