//! The reference of the configuration, out of the sections' own comments.

use std::fmt::Write;
use std::path::Path;

use super::section::{KeyDoc, SectionDoc};
use super::{Config, section_docs};
use crate::exit::{Failure, Status};

/// `outcry config check`
pub fn check(file: &Path) -> Result<Status, Failure> {
    Config::read(file)?;
    println!("{}: valid", file.display());
    Ok(Status::Ok)
}

/// `outcry config default`
pub fn print_default(as_markdown: bool) -> Result<Status, Failure> {
    print!("{}", if as_markdown { markdown() } else { default_file() });
    Ok(Status::Ok)
}

/// A file with every key at its default, commented.
pub fn default_file() -> String {
    let mut text = String::from(
        "# Every setting of outcry with its default. A file needs only what it changes.\n",
    );
    for section in section_docs() {
        write_section(&mut text, &section);
    }
    text
}

/// The page of the documentation.
pub fn markdown() -> String {
    format!(
        "# Configuration\n\n\
         `outcry run --config FILE` reads a TOML file; the command line goes over it. Unknown keys and \
         values outside their bounds are refused with their line, also by `outcry config check FILE`. \
         Sizes are written `\"64MiB\"` (B, KiB, MiB, GiB), times `\"10ms\"` (ns, us, ms, s, min, h, d).\n\n\
         This page is `outcry config default --markdown`, which a test compares it with.\n\n\
         ```toml\n{}```\n",
        default_file()
    )
}

fn write_section(text: &mut String, section: &SectionDoc) {
    text.push('\n');
    write_comment(text, section.doc);
    let _ = writeln!(text, "[{}]", section.name);
    for key in &section.keys {
        write_key(text, key);
    }
}

fn write_key(text: &mut String, key: &KeyDoc) {
    write_comment(text, key.doc);
    if let Some(range) = &key.range {
        let _ = writeln!(text, "# From {range}.");
    }
    let _ = match &key.default {
        Some(default) => writeln!(text, "{} = {default}", key.name),
        None => writeln!(text, "# {} = (not set)", key.name),
    };
}

fn write_comment(text: &mut String, lines: &[&str]) {
    for line in lines {
        let _ = writeln!(text, "# {}", line.trim());
    }
}
