//! Writers of the export: JSON lines, tiles and entry bundles.
