//! One Apache Kafka broker that is its own controller (`KRaft` mode).

mod artefacts;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::home::{Home, Lifetime};
use super::port;
use super::server::{Recipe, Server, run};
use crate::Failure;

/// Any 16 bytes in URL-safe base64: there is only one cluster here.
const CLUSTER_ID: &str = "Zmlyc3Rjb21lLXRlc3RzLg";
/// The cheapest collector on few cores, and a heap that leaves room for everything else.
const MACHINE: [&str; 5] = [
    "-Xms192m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
];

/// One broker, without topics until somebody makes them.
pub struct Kafka {
    server: Server,
    pub(super) home: Home,
}

impl Kafka {
    /// A broker of our own.
    pub fn launch() -> Result<Self, Failure> {
        Self::launch_for(Lifetime::Ours)
    }

    pub(super) fn launch_for(lifetime: Lifetime) -> Result<Self, Failure> {
        let artefacts = artefacts::folder()?;
        let java = artefacts::JAVA.path()?;
        let mut home = Home::new("kafka", lifetime)?;
        let port = port::free()?;
        let data = home.path().join("data");
        let settings = home.file("server.properties", &settings(port, port::free()?, &data))?;
        let logging = home.file(
            "log4j2.properties",
            &logging(&home.path().join("kafka.log")),
        )?;
        let machine = |main: &str| -> Vec<OsString> {
            let mut words: Vec<OsString> = MACHINE.map(Into::into).into();
            let logging = format!("-Dlog4j2.configurationFile={}", logging.display());
            let classes = format!("{}/*", artefacts.display());
            words.extend([logging, "-cp".into(), classes, main.into()].map(Into::into));
            words
        };
        run(Command::new(&java)
            .args(machine("kafka.tools.StorageTool"))
            .args(["format", "--cluster-id", CLUSTER_ID, "--config"])
            .arg(&settings))?;
        let mut arguments = machine("kafka.Kafka");
        arguments.push(settings.into());
        let server = Server::launch(Recipe {
            name: "kafka".into(),
            program: java,
            arguments,
            port,
            probe: unfenced,
            end_with: "TERM",
            never_root: false,
            log: home.path().join("kafka.log"),
            lifetime,
        })?;
        home.settled();
        Ok(Self { server, home })
    }

    /// Where it is: `127.0.0.1:21000`.
    pub fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.server.port())
    }
}

impl Deref for Kafka {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl DerefMut for Kafka {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.server
    }
}

/// One of Kafka's own command-line tools, by its class: `org.apache.kafka.tools.ConsoleProducer`.
pub fn kafka_tool(class: &str) -> Result<Command, Failure> {
    let archives = artefacts::folder()?;
    let mut command = Command::new(artefacts::JAVA.path()?);
    command
        .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        // Its output is what is asked for; failures come on its standard error anyway.
        .args(["-Dlog4j2.level=OFF", "-cp"])
        .arg(format!("{}/*", archives.display()))
        .arg(class);
    Ok(command)
}

fn settings(port: u16, controller: u16, data: &Path) -> String {
    format!(
        "\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=BROKER://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=BROKER://127.0.0.1:{port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs={}
# A topic comes from `migrate`, with the partitions it was given there.
auto.create.topics.enable=false
# One broker.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# Tests start and end consumers all the time, and see some of them die.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# A broker that was killed may come back once its old session has run out.
broker.session.timeout.ms=5000
broker.heartbeat.interval.ms=1000
# Few cores, and many small topics.
num.network.threads=2
num.io.threads=4
background.threads=2
log.cleaner.dedupe.buffer.size=16777216
log.index.size.max.bytes=1048576
# A record in the metadata log twice a second tells nobody anything.
metadata.max.idle.interval.ms=0
",
        data.display()
    )
}

fn logging(file: &Path) -> String {
    format!(
        "\
rootLogger.level=WARN
rootLogger.appenderRefs=file
rootLogger.appenderRef.file.ref=file
appender.file.type=File
appender.file.name=file
appender.file.fileName={}
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d %p %c: %m%n
",
        file.display()
    )
}

/// Whether the broker knows a broker that takes requests: itself. Its port answers some time
/// before that.
pub(super) fn unfenced(port: u16) -> Result<(), String> {
    match living_brokers(port) {
        Ok(0) => Err("no broker takes requests yet".into()),
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Kafka's `Metadata` request: its length, the API's key (3) and version (1), a correlation id, no
/// client's name, no topics.
const METADATA: [u8; 18] = [0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0];

fn living_brokers(port: u16) -> std::io::Result<u32> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(&METADATA)?;
    // Length, correlation id, and the number of brokers.
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    let [.., one, two, three, four] = answer;
    Ok(u32::from_be_bytes([one, two, three, four]))
}
