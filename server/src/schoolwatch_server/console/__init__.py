"""The pages for people: rendered here, no build step, Vietnamese first."""
