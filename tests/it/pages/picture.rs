//! The picture of the README: what the program prints on a terminal, as SVG.

use std::fmt::Write as _;

use expect_test::expect_file;

use super::place::root;
use crate::support::{Fixture, healthy};

/// Of a character, in pixels.
const WIDTH: f64 = 8.43;
const HEIGHT: usize = 20;
const MARGIN: usize = 20;
const BAR: usize = 36;
/// A place in a file that would go beyond is left out.
const COLUMNS: usize = 112;
/// Before such a place.
const DIM: &str = "\u{1b}[2m";

/// A color of the terminal.
fn color(codes: &str) -> &'static str {
    match codes.rsplit(';').next().unwrap_or_default() {
        "31" | "91" => "#f47067",
        "32" | "92" => "#57ab5a",
        "33" | "93" => "#c69026",
        "34" | "94" => "#539bf5",
        "35" | "95" => "#b083f0",
        "36" | "96" => "#39c5cf",
        "2" | "90" => "#768390",
        _ => "#adbac7",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// How many characters are seen.
fn seen(text: &str) -> usize {
    let parts = text.split("\u{1b}[").enumerate();
    parts
        .map(|(at, part)| if at == 0 { part } else { part.split_once('m').map_or("", |of| of.1) })
        .map(|part| part.chars().count())
        .sum()
}

/// One line with its colors as `tspan`s.
fn line(text: &str) -> String {
    let fits = if seen(text) > COLUMNS { text.rsplit_once(DIM).map(|of| of.0) } else { None };
    let text = fits.unwrap_or(text).trim_end();
    let mut spans = String::new();
    let mut codes = String::new();
    for (at, part) in text.split("\u{1b}[").enumerate() {
        let mut part = part;
        if at > 0 {
            let (code, rest) = part.split_once('m').expect("a color");
            codes = code.to_owned();
            part = rest;
        }
        if !part.is_empty() {
            let bold =
                if codes.split(';').any(|code| code == "1") { " font-weight=\"bold\"" } else { "" };
            let _ =
                write!(spans, "<tspan fill=\"{}\"{bold}>{}</tspan>", color(&codes), escaped(part));
        }
    }
    spans
}

fn svg(title: &str, text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let width = (COLUMNS as f64 * WIDTH) as usize + 2 * MARGIN;
    let height = BAR + lines.len() * HEIGHT + MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#22272e\"/>\n\
         <circle cx=\"20\" cy=\"18\" r=\"6\" fill=\"#f47067\"/><circle cx=\"40\" cy=\"18\" r=\"6\" \
         fill=\"#c69026\"/><circle cx=\"60\" cy=\"18\" r=\"6\" fill=\"#57ab5a\"/>\n\
         <g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" \
         font-size=\"14\">\n"
    );
    for (at, text) in lines.iter().enumerate() {
        let y = BAR + at * HEIGHT + 14;
        let _ = writeln!(
            svg,
            "<text x=\"{MARGIN}\" y=\"{y}\" xml:space=\"preserve\">{}</text>",
            line(text)
        );
    }
    svg + "</g>\n</svg>\n"
}

/// A fleet in which something of every kind happens.
fn busy() -> Fixture {
    let fixture = Fixture::enrolled();
    fixture.replace("fleet/madrid/ana-ruiz-laptop.yaml", "ana.ruiz@", "eva.sanz@");
    fixture.remove("fleet/berlin/lena-vogt-iphone.yaml");
    fixture.replace("fleet/madrid/jorge-vidal-laptop.yaml", "Standard", "Standrad");
    let device = "apiVersion: fleetform/v1\nkind: Device\nmetadata: {name: bo-li-laptop}\nspec: {serialNumber: \
                  5CG4210XKP0, userEmail: bo.li@example.com, profile: Standard, osVersion: \"10.0.26100\"}\n";
    fixture.write("fleet/madrid/bo-li-laptop.yaml", device);
    let report = healthy("PF5B20QK", 3)
        .replace("\"encryption\":{\"enabled\":true}", "\"encryption\":{\"enabled\":false}");
    fixture.report(&report);
    fixture
}

#[test]
fn the_picture_shows_what_the_program_prints() {
    let planned = busy().run(&["--color", "always", "plan"]).exits(1).stdout;
    let digest =
        planned.lines().filter(|line| !line.contains("Digest:")).collect::<Vec<_>>().join("\n");
    let text = format!("\u{1b}[1m$ fleetform plan\u{1b}[0m\n{digest}\n");
    expect_file![root().join("docs/plan.svg")]
        .assert_eq(&svg("The output of fleetform plan", &text));
}
