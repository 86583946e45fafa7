//! Memory as on a machine that has been at work: used before, and full of files.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::{io, thread};

use crate::failure::Failure;
use crate::usage;

/// It takes some 0.7 s for each GB on two cores: with more than this free, a run would take too long.
const MOST_MB: u64 = 64 << 10;

/// A file of nothing but holes: read, it takes up memory, and no disk.
#[derive(Debug)]
pub struct UsedMemory {
    path: PathBuf,
    mb: u64,
}

impl UsedMemory {
    /// None yet.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            path: folder.join("holes"),
            mb: 0,
        }
    }

    /// Has the file take up what memory is free. A virtual machine's free memory may be with its hypervisor, which provides it again when it
    /// is touched: some 10 µs a page of 4 kB, paid by whoever writes, and most by who writes most. Memory that a file is in is the machine's own,
    /// and Linux takes it from a file that nobody reads as soon as somebody else needs it.
    pub fn fill(&mut self) -> Result<(), Failure> {
        let free = usage::free_memory_mb();
        if free > MOST_MB {
            eprintln!(
                "bench: {} GB of memory are free, which is too much to fill: on a virtual machine, who writes most may wait for it most",
                free >> 10
            );
            return Ok(());
        }
        let file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&self.path)
            .map_err(Failure::file(&self.path))?;
        let from = self.mb;
        self.mb += free;
        file.set_len(self.mb << 20)
            .and_then(|()| read_by_all_cores(&file, from, self.mb))
            .map_err(Failure::file(&self.path))
    }
}

fn read_by_all_cores(file: &File, from_mb: u64, to_mb: u64) -> io::Result<()> {
    let cores = thread::available_parallelism()?.get() as u64;
    let part = (to_mb - from_mb).div_ceil(cores);
    let begin = |core| to_mb.min(from_mb + core * part);
    thread::scope(|scope| {
        let reading: Vec<_> = (0..cores)
            .map(|core| scope.spawn(move || read(file, begin(core), begin(core + 1))))
            .collect();
        reading
            .into_iter()
            .try_for_each(|reading| reading.join().expect("reading does not panic"))
    })
}

fn read(file: &File, from_mb: u64, to_mb: u64) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 20];
    (from_mb..to_mb).try_for_each(|mb| file.read_exact_at(&mut buffer, mb << 20))
}
