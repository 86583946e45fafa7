//! Lines of the log, written by a thread of their own. Whoever logs waits for nobody: where standard error is a pipe that its reader has
//! forgotten, each write would wait until it is read again, and so would whoever books.

use std::io::{self, Write};
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;

/// So many lines may wait, some megabytes; what comes beyond is lost. A reader that reads keeps none waiting.
const MOST_WAITING: usize = 8_192;

/// How long the last lines may take at the end.
const AT_THE_END: Duration = Duration::from_secs(1);

/// Lines that were not written, of the whole process.
static LOST: LazyLock<Counter> = LazyLock::new(Counter::default);

/// How many lines were not written.
pub(super) fn lost() -> Counter {
    LOST.clone()
}

enum Entry {
    Line(Box<[u8]>),
    End(SyncSender<()>),
}

/// Takes a line at a time, each in one write, as `tracing-subscriber` does.
#[derive(Clone)]
pub(super) struct Lines {
    waiting: SyncSender<Entry>,
    lost: Counter,
}

/// Waits in the end until what was logged is written, unless nobody reads.
#[must_use = "the last lines are written when it is dropped"]
pub struct LastLines(SyncSender<Entry>);

impl Lines {
    /// To standard error.
    pub(super) fn to_stderr() -> io::Result<(Self, LastLines)> {
        Self::start(MOST_WAITING, io::stderr(), lost())
    }

    fn start(
        most: usize,
        to: impl Write + Send + 'static,
        lost: Counter,
    ) -> io::Result<(Self, LastLines)> {
        let (waiting, lines) = sync_channel(most);
        let unwritten = lost.clone();
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write(to, &lines, &unwritten))?;
        let last = LastLines(waiting.clone());
        Ok((Self { waiting, lost }, last))
    }
}

fn write(mut to: impl Write, lines: &Receiver<Entry>, lost: &Counter) {
    while let Ok(entry) = lines.recv() {
        match entry {
            Entry::Line(line) => {
                if to.write_all(&line).is_err() {
                    lost.inc();
                }
            }
            Entry::End(written) => {
                let _ = written.try_send(());
            }
        }
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.waiting.try_send(Entry::Line(line.into())).is_err() {
            self.lost.inc();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LastLines {
    fn drop(&mut self) {
        let (written, is_written) = sync_channel(1);
        let waiting = self.0.clone();
        // There may be no room before some are written.
        let asking = thread::Builder::new().spawn(move || waiting.send(Entry::End(written)));
        if asking.is_ok() {
            let _ = is_written.recv_timeout(AT_THE_END);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::mpsc::{Sender, channel};
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Writes a line when it may.
    struct Slow {
        may_write: Receiver<()>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Slow {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.may_write.recv().map_err(io::Error::other)?;
            self.written.lock().unwrap().extend(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow(most: usize) -> (Lines, LastLines, Sender<()>, Arc<Mutex<Vec<u8>>>) {
        let (may_write, permissions) = channel();
        let written = Arc::<Mutex<Vec<u8>>>::default();
        let to = Slow {
            may_write: permissions,
            written: Arc::clone(&written),
        };
        let (lines, last) = Lines::start(most, to, Counter::default()).unwrap();
        (lines, last, may_write, written)
    }

    #[test]
    fn whoever_logs_waits_for_nobody_and_what_is_too_much_is_counted() {
        let (mut lines, last, may_write, written) = slow(2);
        for number in 0..10 {
            lines.write_all(format!("{number}\n").as_bytes()).unwrap();
        }
        // One is being written, two wait.
        assert!((7..=8).contains(&lines.lost.get()), "{}", lines.lost.get());
        for _ in 0..10 {
            may_write.send(()).unwrap();
        }
        drop(last);
        let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        assert!(written.starts_with("0\n1\n"), "{written}");
    }

    #[test]
    fn the_last_lines_are_waited_for_and_not_forever() {
        let (mut lines, last, may_write, written) = slow(8);
        lines.write_all(b"last\n").unwrap();
        may_write.send(()).unwrap();
        drop(last);
        assert_eq!(*written.lock().unwrap(), b"last\n");
        let (mut lines, last, _may_write, _) = slow(8);
        lines.write_all(b"nobody reads\n").unwrap();
        drop(last);
    }

    #[test]
    fn a_line_that_cannot_be_written_is_lost_and_counted() {
        let (mut lines, last, may_write, _) = slow(8);
        drop(may_write);
        lines.write_all(b"gone\n").unwrap();
        drop(last);
        assert_eq!(lines.lost.get(), 1);
    }
}
