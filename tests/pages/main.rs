//! What is written beside the code says what the code does: the guide, the README, the header, its man pages, its symbols and
//! its ABI.

mod abi;
mod docs;
mod floors;
mod header;
mod man_pages;
mod readme;
mod sources;
mod symbols;
