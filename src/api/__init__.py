"""HTTP in and out: routes, identity, problems; it translates and never decides."""
