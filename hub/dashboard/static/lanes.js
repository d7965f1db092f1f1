// The timeline: see lanes() below.
