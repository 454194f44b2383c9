//! Checksums of rows: SQLite notices a damaged structure, but not a flipped bit in the middle of a text.

use crc::{CRC_32_ISO_HDLC, Crc};

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The checksum of a row, over its columns. Any change of up to 32 bits in a row is noticed.
pub(super) fn checksum(columns: &[&[u8]]) -> i64 {
    let mut digest = CRC.digest();
    for column in columns {
        // Their lengths keep the columns apart.
        digest.update(&column.len().to_le_bytes());
        digest.update(column);
    }
    digest.finalize().into()
}

/// The checksum of a row of `writes`.
pub(super) fn of_write(revision: i64, place: [&str; 3], deletes: bool, document: &str) -> i64 {
    let [resource, namespace, name] = place.map(str::as_bytes);
    let revision = revision.to_le_bytes();
    checksum(&[
        &revision,
        resource,
        namespace,
        name,
        &[deletes.into()],
        document.as_bytes(),
    ])
}

/// The checksum of a row of `forgotten`.
pub(super) fn of_forgotten(resource: &str, revision: i64) -> i64 {
    checksum(&[resource.as_bytes(), &revision.to_le_bytes()])
}
