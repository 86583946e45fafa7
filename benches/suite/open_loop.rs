//! Open-loop load: requests leave at a fixed rate, whatever became of the ones before. A latency counts from the moment at which
//! the request was to leave, so that a server that stalls pays for every request that the stall held up (no coordinated omission).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::requests::Requests;

/// Enough that none is still busy when its next turn comes: at 2,000 a second, each has 64 ms.
const CONNECTIONS: u64 = 128;

/// Latencies, ascending.
#[derive(Debug)]
pub struct Open(Vec<Duration>);

impl Open {
    /// A quantile in milliseconds.
    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        let position = (last as f64 * quantile).round() as usize;
        self.0
            .get(position)
            .map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
    }
}

/// Sends `rate` requests a second. Threads of their own that sleep: precise to 0.1 ms, and cheap beside a busy server.
pub fn open(address: &str, requests: &Requests, rate: u64, seconds: u64) -> Result<Open, Failure> {
    let total = rate * seconds;
    let begin = Instant::now() + Duration::from_millis(300);
    let due = |n: u64| begin + Duration::from_nanos(n * 1_000_000_000 / rate);
    let mut latencies = thread::scope(|scope| {
        let senders: Vec<_> = (0..CONNECTIONS.min(total))
            .map(|first| {
                scope.spawn(move || {
                    let mut connection = Connection::open(address)?;
                    let turns = (first..total).step_by(CONNECTIONS as usize);
                    turns
                        .map(|n| {
                            let request = requests.wire(n);
                            thread::sleep(due(n).saturating_duration_since(Instant::now()));
                            connection.ask(&request)?;
                            Ok(due(n).elapsed())
                        })
                        .collect::<Result<Vec<_>, Failure>>()
                })
            })
            .collect();
        let mut latencies = Vec::new();
        for sender in senders {
            latencies.extend(sender.join().expect("a sender does not panic")?);
        }
        Ok::<_, Failure>(latencies)
    })?;
    latencies.sort_unstable();
    Ok(Open(latencies))
}

/// One kept-alive HTTP connection that knows just enough HTTP.
pub struct Connection {
    stream: BufReader<TcpStream>,
    answer: Vec<u8>,
}

impl Connection {
    pub fn open(address: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(Self {
            stream: BufReader::new(stream),
            answer: Vec::new(),
        })
    }

    fn ask(&mut self, request: &[u8]) -> Result<(), Failure> {
        match self.send(request)? {
            200 => Ok(()),
            status => Err(Failure::Wrong {
                what: "HTTP status",
                wanted: 200,
                got: status,
            }),
        }
    }

    /// Sends a request and reads the whole answer; its status.
    pub fn send(&mut self, request: &[u8]) -> Result<u64, Failure> {
        self.stream.get_mut().write_all(request)?;
        let mut line = String::new();
        let mut length = 0;
        let mut status = 0;
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let head = line.trim_end();
            if head.is_empty() {
                break;
            }
            if let Some(rest) = head.strip_prefix("HTTP/1.1 ") {
                status = rest
                    .get(..3)
                    .and_then(|code| code.parse().ok())
                    .unwrap_or(0);
            } else if let Some((name, value)) = head.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        self.answer.resize(length, 0);
        self.stream.read_exact(&mut self.answer)?;
        Ok(status)
    }
}
