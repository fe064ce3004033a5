//! My own web server.

fn main() -> std::io::Result<()> {
    println!("Press Enter to end.");
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}
