//! The tests of the whole binary.

mod clock_ahead;
mod command_line;
mod demo_book;
mod first_start;
mod kill;
mod life_of_an_order;
mod load;
mod local_books;
mod lost_directory;
mod operator;
mod order_lists;
mod recorded_sessions;
mod reopening;
mod restart;
mod shared_limits;
mod support;
mod tls;
