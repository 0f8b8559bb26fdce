//! Disks that are full, places where nothing may be written, files that change while they are read.

use std::process::Command;

use crate::delivery::{HEAD, INGEST, ROWS, sound};
use crate::harness::{Under, case, group, is_root, run};
use crate::house::{House, copy};
use crate::look::content;

/// A sound delivery with a recording of a megabyte.
fn large(house: &House) {
    sound(house);
    house.write("delivery/manifest.csv", format!("{HEAD}{}", ROWS.replacen(",v2,,", ",v2,tape.wav,", 1)));
    let size = 2_000_000u32;
    let mut wav = [
        b"RIFF".to_vec(),
        (size + 36).to_le_bytes().to_vec(),
        b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data".to_vec(),
    ]
    .concat();
    wav.extend(size.to_le_bytes());
    wav.resize(wav.len() + size as usize, 3);
    house.write("delivery/tape.wav", wav);
}

/// Everybody may read the house, nobody but its owner write.
fn closed(house: &House) {
    let chmod = |mode: &str| {
        assert!(Command::new("chmod").args(["-R", mode, "."]).current_dir(house.dir()).status().unwrap().success())
    };
    chmod("a+rX");
    chmod(if is_root() { "go-w" } else { "a-w" });
}

#[test]
fn places() {
    let cases = vec![
        case("a vault that may be read and not written")
            .told()
            .make(closed)
            .under(Under::Reader)
            .by("ben")
            .run(&["interview", "list"])
            .says(&["cannot be written"])
            .remedy(&["may write in the vault folder"])
            .then(reopen),
        case("a delivery for a vault that may not be written")
            .make(large)
            .make(closed)
            .under(Under::Reader)
            .by("ben")
            .run(INGEST)
            .says(&["cannot be written"])
            .remedy(&["may write in the vault folder"])
            .then(reopen),
        case("a file of the delivery that may not be read")
            .told()
            .make(large)
            .make(|h| {
                let run = |program: &str, args: &[&str]| {
                    assert!(Command::new(program).args(args).current_dir(h.dir()).status().unwrap().success())
                };
                run("chmod", &["-R", "a+rwX", "."]);
                run("chmod", &["0", "delivery/tape.wav"]);
            })
            .under(Under::Reader)
            .by("ben")
            .run(INGEST)
            .says(&["line 2, column recording", "permission denied"])
            .remedy(&["may read"])
            .then(reopen),
        case("an extract where nothing may be written")
            .make(|h| h.write("out/x", ""))
            .make(closed)
            .under(Under::Reader)
            .run(&[
                "--identity",
                "dora.id",
                "--passphrase-file",
                "pass",
                "extract",
                "open",
                "dora.age",
                "--to",
                "out/work",
            ])
            .says(&["folder", "permission denied"])
            .remedy(&["may read and write"])
            .then(reopen),
        case("an identity where nothing may be written")
            .make(|h| h.write("out/x", ""))
            .make(closed)
            .under(Under::Reader)
            .run(&[
                "--passphrase-file",
                "pass",
                "identity",
                "new",
                "--name",
                "Max",
                "--country",
                "EE",
                "--out",
                "out/max.id",
            ])
            .says(&["identity file", "permission denied"])
            .remedy(&["may read and write"])
            .then(reopen),
    ];
    group("Places", cases);
}

/// Whoever made the house may write again, so that it can be cleared away.
fn reopen(house: &House) {
    assert!(Command::new("chmod").args(["-R", "u+rwX", "."]).current_dir(house.dir()).status().unwrap().success());
}

/// A disk of its own for a vault and its keys, full but for some kB: a small file system in memory where one can be mounted.
struct Disk<'h>(&'h House);

impl<'h> Disk<'h> {
    fn mount(house: &'h House) -> Self {
        std::fs::create_dir(house.path("disk")).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m", "none"]).arg(house.path("disk")).status();
        assert!(mounted.unwrap().success(), "no file system can be mounted");
        let disk = Self(house);
        for part in ["vault", "vault.keys"] {
            std::fs::create_dir(house.path("disk").join(part)).unwrap();
            copy(&house.path(part), &house.path("disk").join(part));
            std::fs::remove_dir_all(house.path(part)).unwrap();
            std::os::unix::fs::symlink(house.path("disk").join(part), house.path(part)).unwrap();
        }
        disk
    }

    /// Fills it until so many bytes are left.
    fn leave(&self, bytes: u64) {
        use std::io::Write;
        let free = || {
            let said = rustix::fs::statvfs(self.0.path("disk")).unwrap();
            said.f_bavail * said.f_frsize
        };
        let fill = free().saturating_sub(bytes);
        let mut file = std::fs::File::create(self.0.path("disk/filler")).unwrap();
        file.write_all(&vec![0; usize::try_from(fill).unwrap()]).unwrap();
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path("disk")).status();
    }
}

/// A full disk at many moments of an ingest: each time the vault is as before, sound, and takes the delivery in once there is room.
#[test]
fn a_full_disk() {
    let args: Vec<String> = INGEST.iter().map(|a| (*a).to_owned()).collect();
    let check = ["check".to_owned()];
    let house = House::new();
    large(&house);
    let before = content(&house, "ada");
    // As root on a disk that is full; elsewhere with a bound on the size of files.
    let disk = is_root().then(|| Disk::mount(&house));
    for room in [0u64, 40, 100, 400, 1_000, 1_900] {
        let ran = match &disk {
            Some(disk) => {
                disk.leave(room * 1_000);
                run(&house, Some("ben"), &args, &Under::Usual)
            }
            None => run(&house, Some("ben"), &args, &Under::FileLimit(room.clamp(4, 400))),
        };
        assert_eq!(ran.code, Some(1), "{room}: {}{}", ran.out, ran.err);
        let words = ran.err.to_lowercase();
        let said =
            ["the disk is full", "may not grow", "cannot be written", "disk failed"].iter().any(|w| words.contains(w));
        assert!(said, "{room}: {}", ran.err);
        if disk.is_some() {
            std::fs::remove_file(house.path("disk/filler")).unwrap();
        }
        let sound = run(&house, Some("ben"), &check, &Under::Usual);
        assert_eq!(sound.code, Some(0), "{room}: {}{}", sound.out, sound.err);
        let now = content(&house, "ada");
        for (table, rows) in &before.0 {
            // The key file may have got keys for what never came: its generation is told in `meta`.
            assert!(table == "meta" || now.0[table] == *rows, "{room}: table {table}");
        }
    }
    let ran = run(&house, Some("ben"), &args, &Under::Usual);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let sound = run(&house, Some("ben"), &check, &Under::Usual);
    assert_eq!(sound.code, Some(0), "{}{}", sound.out, sound.err);
}
