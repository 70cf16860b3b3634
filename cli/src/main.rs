//! The operator's command; everything it does is in the library beside it.

fn main() -> std::process::ExitCode {
    pourtrait::main()
}
