//! What `verify`, `inspect` and `explain` share: opening a data directory to read it, replaying with a visitor, and
//! lines for people. (Being built.)
