//! What is written beside the code says what the code does: the guide, the README, the header, its man pages, its symbols,
//! its ABI and the vectors of a seal. And it says so in plain English.

mod abi;
mod docs;
mod english;
mod floors;
mod header;
mod man_pages;
mod readme;
mod sources;
mod symbols;
mod vectors;
