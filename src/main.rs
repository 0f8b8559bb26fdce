//! The program `subrosa`.

fn main() -> std::process::ExitCode {
    subrosa::cli::main()
}
