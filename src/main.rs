//! The program: everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    duo_atlassian_sync::cli::main()
}

/// What is freed goes back to the system at once (`.cargo/config.toml` says so): a daemon is idle most of the time.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
