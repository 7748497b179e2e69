//! `outcry verify`, `inspect` and `explain` on data directories that a node wrote.

mod exchange;
mod explain;
mod inspect;
mod lists;
mod verify;
