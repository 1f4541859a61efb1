//! Fenced blocks of a page, and the commands in them.

/// A fenced block.
pub struct Block {
    /// Where it begins, from 1.
    pub line: usize,
    pub language: String,
    /// What stands behind the language.
    pub word: String,
    pub text: String,
}

/// A command, and what the page says that it prints.
pub struct Step {
    pub line: usize,
    pub command: String,
    pub shown: Vec<String>,
}

impl Step {
    /// Whether the page shows an error.
    pub fn fails(&self) -> bool {
        self.shown.first().is_some_and(|line| line.starts_with("error"))
    }
}

/// All fenced blocks of a page, in order.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (at, line) in page.lines().enumerate() {
        match line.trim_start().strip_prefix("```") {
            Some(_) if open => open = false,
            Some(info) => {
                let (language, word) = info.split_once(' ').unwrap_or((info, ""));
                let (language, word) = (language.to_owned(), word.to_owned());
                blocks.push(Block { line: at + 1, language, word, text: String::new() });
                open = true;
            }
            None if open => {
                let block = blocks.last_mut().expect("an open block");
                block.text += line;
                block.text.push('\n');
            }
            None => {}
        }
    }
    assert!(!open, "a block is not closed");
    blocks
}

impl Block {
    /// Whether its commands are for a shell.
    pub fn is_shell(&self) -> bool {
        matches!(&*self.language, "sh" | "console")
    }

    /// Its commands: of `console` each with what it prints.
    pub fn steps(&self) -> Vec<Step> {
        if self.language == "sh" {
            return vec![Step { line: self.line, command: self.text.clone(), shown: Vec::new() }];
        }
        let mut steps: Vec<Step> = Vec::new();
        let mut continued = false;
        for (at, line) in self.text.lines().enumerate() {
            let prompted = line.strip_prefix("$ ").or_else(|| line.strip_prefix("# "));
            match (prompted, steps.last_mut()) {
                (_, Some(step)) if continued => {
                    step.command += line;
                    step.command.push('\n');
                }
                (Some(command), _) => {
                    let command = format!("{command}\n");
                    steps.push(Step { line: self.line + 1 + at, command, shown: Vec::new() });
                }
                (None, Some(step)) => step.shown.push(line.to_owned()),
                (None, None) => {
                    panic!("line {}: {line:?} comes before a prompt", self.line + 1 + at)
                }
            }
            continued = line.ends_with('\\') && (continued || prompted.is_some());
        }
        steps
    }
}
