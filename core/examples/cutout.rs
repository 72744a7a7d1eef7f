//! Cuts out photo.jpg in the current folder.

use remrembg::{Config, Format, Options, Remover};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let remover = Remover::new(Config::default())?; // once: loads the model
    let photo = std::fs::read("photo.jpg")?;

    let options = Options::default().with(|o| {
        o.format = Format::Png;
        o.w = Some(800);
    });
    let output = remover.remove(&photo, &options)?; // from as many threads as you like
    std::fs::write("cutout.png", &output.data)?;
    println!("{} × {} {}, on {}", output.width, output.height, output.mime(), remover.engine().name);
    Ok(())
}
