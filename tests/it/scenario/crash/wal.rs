//! What SQLite's write-ahead log holds, by its format (<https://www.sqlite.org/fileformat2.html#walformat>).

/// How many transactions are whole in a log: what comes after them is not read by anybody.
pub(super) fn commits(log: &[u8]) -> usize {
    const HEADER: usize = 32;
    const FRAME_HEADER: usize = 24;
    let Some((header, frames)) = log.split_at_checked(HEADER) else { return 0 };
    // The last bit says in which order the bytes are added up.
    let read = if word(header, 0) & 1 == 1 { u32::from_be_bytes } else { u32::from_le_bytes };
    let mut sum = add_up((0, 0), &header[..24], read);
    if sum != (word(header, 24), word(header, 28)) {
        return 0;
    }
    let page_size = usize::try_from(word(header, 8)).expect("a size");
    let mut commits = 0;
    for frame in frames.chunks_exact(FRAME_HEADER + page_size) {
        sum = add_up(sum, &frame[..8], read);
        sum = add_up(sum, &frame[FRAME_HEADER..], read);
        let is_of_this_log = frame[8..16] == header[16..24];
        if !is_of_this_log || sum != (word(frame, 16), word(frame, 20)) {
            break;
        }
        // The size of the database after a commit; zero in all other frames.
        commits += usize::from(word(frame, 4) != 0);
    }
    commits
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn add_up((mut one, mut two): (u32, u32), bytes: &[u8], read: fn([u8; 4]) -> u32) -> (u32, u32) {
    for pair in bytes.chunks_exact(8) {
        let (first, second) = pair.split_at(4);
        one = one.wrapping_add(read(first.try_into().expect("four bytes"))).wrapping_add(two);
        two = two.wrapping_add(read(second.try_into().expect("four bytes"))).wrapping_add(one);
    }
    (one, two)
}

#[test]
fn whole_transactions_are_counted_and_torn_ones_are_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("a.db");
    let connection = rusqlite::Connection::open(&database).expect("it opens");
    connection.pragma_update(None, "journal_mode", "WAL").expect("a mode");
    for sql in ["CREATE TABLE t (x)", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (zeroblob(9000))"] {
        connection.execute(sql, []).expect("it is done");
    }
    let log = std::fs::read(folder.path().join("a.db-wal")).expect("the log");
    assert_eq!(commits(&log), 3);
    assert_eq!(commits(&log[..log.len() - 1]), 2);
    assert_eq!(commits(&log[..20]), 0);
    let mut torn = log;
    let end = torn.len() - 100;
    torn[end] ^= 1;
    assert_eq!(commits(&torn), 2);
}
