//! Kafka as its project publishes it: Java archives in Maven's repository, fetched once.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::Failure;
use crate::services::packages::{self, Program};
use crate::services::server::run;

/// Kafka's version. Its own dependencies come in the versions it names.
const KAFKA: &str = "4.3.1";
/// What lets it log: of the Log4j that Kafka brings.
const LOG4J: &str = "2.25.4";
/// Pinned like the rest: Maven would take its own newest otherwise.
const PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.11.0";

pub const JAVA: Program = Program {
    name: "java",
    package: "default-jre-headless",
    folders: &[],
};
const MAVEN: Program = Program {
    name: "mvn",
    package: "maven",
    folders: &[],
};

/// The description of what is fetched, kept with it.
const DESCRIPTION: &str = "pom.xml";

/// The folder of archives, fetched if it is not there yet.
pub fn folder() -> Result<PathBuf, Failure> {
    let folder = packages::folder().join(format!("kafka-{KAFKA}"));
    let _lock = packages::lock(&folder)?;
    let description = description();
    if fs::read_to_string(folder.join(DESCRIPTION)).is_ok_and(|there| there == description) {
        return Ok(folder);
    }
    eprintln!("fetching Apache Kafka {KAFKA} through Maven");
    let fetched = tempfile::tempdir_in(packages::folder())?;
    let project = fetched.path().join(DESCRIPTION);
    fs::write(&project, description)?;
    run(Command::new(MAVEN.path()?)
        .args(["--batch-mode", "--quiet", "--file"])
        .arg(&project)
        .arg(format!("{PLUGIN}:copy-dependencies"))
        .arg("-DincludeScope=runtime")
        .arg(format!("-DoutputDirectory={}", fetched.path().display())))
    .map_err(|failure| format!("Apache Kafka {KAFKA} can't be fetched: {failure}"))?;
    if folder.is_dir() {
        fs::remove_dir_all(&folder)?;
    }
    // In one step: what is there is complete.
    fs::rename(fetched.keep(), &folder)?;
    Ok(folder)
}

/// The broker with everything it needs; its command-line tools without what only tools need that
/// nobody here runs (Kafka Connect, a web server).
fn description() -> String {
    const NOTHING_MORE: &str = "<exclusions><exclusion><groupId>*</groupId>\
         <artifactId>*</artifactId></exclusion></exclusions>";
    let dependency = |group: &str, artefact: &str, version: &str, more: &str| {
        format!(
            "<dependency><groupId>{group}</groupId><artifactId>{artefact}</artifactId>\
             <version>{version}</version>{more}</dependency>"
        )
    };
    let broker = dependency("org.apache.kafka", "kafka_2.13", KAFKA, "");
    let tools = dependency("org.apache.kafka", "kafka-tools", KAFKA, NOTHING_MORE);
    let binding = dependency("org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J, "");
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
         <groupId>firstcome</groupId><artifactId>kafka</artifactId><version>1</version>\
         <dependencies>{broker}{tools}{binding}</dependencies></project>\n"
    )
}
