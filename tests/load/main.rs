//! Many uploads at once by one client.

mod many_uploads;
mod stress;
