//! `cargo dev`; everything it does is in the library beside it.

fn main() -> std::process::ExitCode {
    dev::command::main()
}
