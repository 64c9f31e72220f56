//! Prints one line for each public item of a crate; see check.sh.

/// Traits that say nothing to a user, or follow from others.
const OMITTED: [&str; 6] = [
    "core::marker::Freeze",
    "core::marker::StructuralPartialEq",
    "core::marker::Unpin",
    "core::marker::UnsafeUnpin",
    "core::panic::unwind_safe::RefUnwindSafe",
    "core::panic::unwind_safe::UnwindSafe",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: public-api-list RUSTDOC_JSON")?;
    let api = public_api::Builder::from_rustdoc_json(path)
        .omit_blanket_impls(true)
        .build()?;
    for item in api.items().map(ToString::to_string) {
        if !OMITTED.iter().any(|omitted| item.contains(&format!(" {omitted} for "))) {
            println!("{item}");
        }
    }
    Ok(())
}
