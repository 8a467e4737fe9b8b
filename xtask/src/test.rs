//! `cargo xtask test`: everything CI asks for, in one command, counted.

use std::io::{BufRead, BufReader, Read, Write, stdout};
use std::process::{Command, ExitCode, Stdio};

use xtask::Failure;
use xtask::services::{Lifetime, Set, StripeMock};

use crate::cargo::Workspace;
use crate::steps::{Steps, succeeds};
use crate::{check, clients, schema, servers, supply};

/// Places where a test stops a process are in what the tests run, not in what is released.
const FEATURES: [&str; 2] = ["--features", "firstcome/failpoints"];

/// Runs the checks, compares the schema, runs every test with the real servers around it, and ends
/// in the line `N passed, M failed`: tests, and a step that failed for another reason as one.
pub fn run(workspace: &Workspace) -> ExitCode {
    let mut steps = Steps::default();
    let mut tally = Tally::default();
    let mut of_clients = Tally::default();
    check::add(&mut steps, workspace);
    supply::add(&mut steps, workspace);
    // Once, with the features the tests are built with: what follows finds it all there.
    let build = ["build", "--workspace", "--all-targets"];
    if steps.run("build", || {
        succeeds(workspace.cargo().args(build).args(FEATURES))
    }) {
        steps.run("schema", || schema::is_current(workspace));
        // Ends with this value; with this process, should somebody stop it.
        let mut servers = None;
        steps.run("services", || {
            let set = servers.insert(Set::up(Lifetime::Ours)?);
            servers::show(&set.addresses);
            servers::report(set);
            Ok(set.failures.is_empty())
        });
        stripe_mock(&mut steps);
        steps.run("tests", || {
            let mut cargo = workspace.cargo();
            cargo
                .args(["test", "--workspace", "--no-fail-fast"])
                .args(FEATURES);
            tests(&mut cargo, &mut tally, stdout().lock())
        });
        clients::add(&mut steps, workspace, &mut of_clients, stdout().lock());
    }
    let code = steps.summary();
    println!("{}", last_line(&[tally, of_clients], steps.failed()));
    code
}

/// Runs the public clients alone.
pub fn of_clients(workspace: &Workspace) -> ExitCode {
    let mut steps = Steps::default();
    let mut tally = Tally::default();
    clients::add(&mut steps, workspace, &mut tally, stdout().lock());
    let code = steps.summary();
    println!("{}", last_line(&[tally], steps.failed()));
    code
}

/// Has it ready for the test that asks it, or says that nothing is known without it.
fn stripe_mock(steps: &mut Steps) {
    const NAME: &str = "stripe-mock";
    if StripeMock::is_at_hand() {
        steps.run(NAME, || StripeMock::launch().map(|_| true));
    } else {
        steps.not_run(NAME, "no Go toolchain is here to build it");
    }
}

/// A step whose tests failed is counted by its tests.
fn last_line(tallies: &[Tally], failed_steps: usize) -> String {
    let passed: usize = tallies.iter().map(|tally| tally.passed).sum();
    let failed: usize = tallies.iter().map(|tally| tally.failed).sum();
    let counted = tallies.iter().filter(|tally| tally.failed > 0).count();
    format!(
        "{passed} passed, {} failed",
        failed + failed_steps - counted
    )
}

/// Runs `cargo test`, or another runner, as prepared, passing its output on and counting; whether
/// tests ran and all of them passed.
pub fn tests(
    command: &mut Command,
    tally: &mut Tally,
    screen: impl Write,
) -> Result<bool, Failure> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    if let Some(output) = child.stdout.take() {
        tally.follow(output, screen)?;
    }
    let succeeded = child.wait()?.success();
    if tally.passed + tally.failed == 0 {
        eprintln!("no test ran");
    }
    Ok(succeeded && tally.failed == 0 && tally.passed > 0)
}

/// What the summaries of libtest, or of Node's own runner, add up to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    passed: usize,
    failed: usize,
}

impl Tally {
    /// Copies `output` to `screen` line by line, adding up the summaries among the lines.
    fn follow(&mut self, output: impl Read, mut screen: impl Write) -> Result<(), Failure> {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while output.read_until(b'\n', &mut line)? > 0 {
            screen.write_all(&line)?;
            screen.flush()?;
            self.add(&String::from_utf8_lossy(&line));
            line.clear();
        }
        Ok(())
    }

    /// `test result: ok. 12 passed; 0 failed; 1 ignored; …`, or `# pass 12` in TAP.
    fn add(&mut self, line: &str) {
        if let Some((what, number)) = line
            .strip_prefix("# ")
            .and_then(|rest| rest.split_once(' '))
            && let Ok(number) = number.trim().parse::<usize>()
        {
            match what {
                "pass" => self.passed += number,
                "fail" | "cancelled" => self.failed += number,
                _ => {}
            }
            return;
        }
        let Some((_, counts)) = line
            .strip_prefix("test result: ")
            .and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for count in counts.split("; ") {
            match count
                .split_once(' ')
                .map(|(number, what)| (number.parse::<usize>(), what))
            {
                Some((Ok(number), "passed")) => self.passed += number,
                Some((Ok(number), "failed")) => self.failed += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
running 3 tests
test result: of what? ... ok
test order::expires ... FAILED

test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.1s

   Doc-tests domain
test result: ok. 11 passed; 0 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    #[test]
    fn summaries_of_all_binaries_are_added_up() {
        let mut tally = Tally::default();
        tally.follow(OUTPUT.as_bytes(), Vec::new()).unwrap();
        assert_eq!(
            tally,
            Tally {
                passed: 13,
                failed: 1
            }
        );
    }

    /// What [`tests`] says of a `cargo test` that prints `output` and ends with `code`.
    #[cfg(unix)]
    fn verdict(output: &str, code: u8) -> bool {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("printf '{output}'; exit {code}")]);
        tests(&mut command, &mut Tally::default(), Vec::new()).unwrap()
    }

    #[cfg(unix)]
    #[test]
    fn only_tests_that_ran_and_passed_are_a_success() {
        assert!(verdict(
            "test result: ok. 2 passed; 0 failed; 0 ignored\n",
            0
        ));
        assert!(!verdict(
            "test result: FAILED. 2 passed; 1 failed; 0 ignored\n",
            101
        ));
        assert!(
            !verdict("test result: ok. 0 passed; 0 failed; 3 ignored\n", 0),
            "nothing ran"
        );
        assert!(!verdict("", 0), "nothing ran");
        assert!(
            !verdict("test result: ok. 2 passed; 0 failed; 0 ignored\n", 101),
            "a crash"
        );
    }

    #[test]
    fn the_last_line_never_hides_a_failed_step() {
        let line = |passed, failed, steps| last_line(&[Tally { passed, failed }], steps);
        assert_eq!(line(120, 0, 0), "120 passed, 0 failed");
        assert_eq!(line(120, 0, 1), "120 passed, 1 failed");
        assert_eq!(line(117, 3, 1), "117 passed, 3 failed");
        assert_eq!(line(117, 3, 2), "117 passed, 4 failed");
        assert_eq!(line(0, 0, 1), "0 passed, 1 failed");
        let two = [2, 3].map(|failed| Tally { passed: 10, failed });
        assert_eq!(last_line(&two, 3), "20 passed, 6 failed");
    }

    #[test]
    fn nodes_summary_is_read_too() {
        let output = "TAP version 13\n# Subtest: # pass 7\nok 1 - # pass 7\n1..6\n# tests 6\n\
                      # pass 3\n# fail 1\n# cancelled 1\n# skipped 1\n# duration_ms 12.5\n";
        let mut tally = Tally::default();
        tally.follow(output.as_bytes(), Vec::new()).unwrap();
        assert_eq!(
            tally,
            Tally {
                passed: 3,
                failed: 2
            }
        );
    }

    #[test]
    fn output_is_passed_on_as_it_is() {
        let output = b"running 1 test\nnot \xff text\nno newline at the end";
        let mut screen = Vec::new();
        Tally::default()
            .follow(output.as_slice(), &mut screen)
            .unwrap();
        assert_eq!(screen, output);
    }
}
