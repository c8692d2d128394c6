"""The circuits that come with mtjspice; `mtjspice.circuits.catalogue` lists them by name."""
