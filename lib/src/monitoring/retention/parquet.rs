//! Writes rows as a Parquet file: one row group, a page a column, plain values under zstd.
//! That is all that an archive of some thousand rows needs, in a hundredth of what a library
//! that can do everything would add to the function.

use backup::seal::{SealError, compress};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    /// Of at most 18 digits, so many of them behind the point.
    Decimal {
        scale: u32,
    },
    Double,
    Boolean,
    /// Microseconds since 1970, in UTC.
    Timestamp,
}

/// A column with its values as text, a row each. What its kind cannot hold is null.
#[derive(Debug)]
pub(super) struct Column<'a> {
    pub(super) name: &'a str,
    pub(super) kind: Kind,
    pub(super) values: Vec<Option<&'a str>>,
}

/// The format's numbers for what is used of it.
const MAGIC: &[u8] = b"PAR1";
const PLAIN: i32 = 0;
const RLE: i32 = 3;
const ZSTD: i32 = 6;
const OPTIONAL: i32 = 1;

/// Writes a file of these columns, which are all of one length.
///
/// # Errors
/// If a page cannot be compressed.
pub(super) fn write(columns: &[Column<'_>]) -> Result<Vec<u8>, SealError> {
    let rows = columns.first().map_or(0, |column| column.values.len());
    let mut file = MAGIC.to_vec();
    let mut chunks = Vec::with_capacity(columns.len());
    for column in columns {
        chunks.push(Chunk::append(column, &mut file)?);
    }
    let footer = footer(columns, &chunks, rows);
    let length = u32::try_from(footer.len()).unwrap_or(u32::MAX);
    file.extend(footer);
    file.extend(length.to_le_bytes());
    file.extend(MAGIC);
    Ok(file)
}

/// Where a column's page lies in the file.
struct Chunk {
    offset: usize,
    uncompressed: usize,
    compressed: usize,
}

impl Chunk {
    fn append(column: &Column<'_>, file: &mut Vec<u8>) -> Result<Self, SealError> {
        let body = page(column);
        let packed = compress(&body)?;
        let header = page_header(body.len(), packed.len(), column.values.len());
        let chunk = Self {
            offset: file.len(),
            uncompressed: header.len() + body.len(),
            compressed: header.len() + packed.len(),
        };
        file.extend(header);
        file.extend(packed);
        Ok(chunk)
    }
}

/// Which values there are, and then these.
fn page(column: &Column<'_>) -> Vec<u8> {
    let values: Vec<_> = column
        .values
        .iter()
        .map(|value| column.kind.read((*value)?))
        .collect();
    let mut levels = varint(((values.len().div_ceil(8) as u64) << 1) | 1);
    levels.extend(bits(values.iter().map(Option::is_some)));
    let mut page = u32::try_from(levels.len())
        .unwrap_or(u32::MAX)
        .to_le_bytes()
        .to_vec();
    page.extend(levels);
    let there = values.into_iter().flatten();
    if column.kind == Kind::Boolean {
        page.extend(bits(
            there.map(|value| matches!(value, Value::Boolean(true))),
        ));
    } else {
        there.for_each(|value| value.append(&mut page));
    }
    page
}

/// A value as the format holds it.
enum Value<'a> {
    Text(&'a str),
    Integer(i64),
    Double(f64),
    Boolean(bool),
}

impl Value<'_> {
    fn append(&self, page: &mut Vec<u8>) {
        match self {
            Self::Text(text) => {
                page.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
                page.extend(text.as_bytes());
            }
            Self::Integer(number) => page.extend(number.to_le_bytes()),
            Self::Double(number) => page.extend(number.to_le_bytes()),
            // These are bits, many in a byte.
            Self::Boolean(_) => {}
        }
    }
}

impl Kind {
    fn read(self, text: &str) -> Option<Value<'_>> {
        match self {
            Self::Text => Some(Value::Text(text)),
            Self::Integer | Self::Timestamp => text.parse().ok().map(Value::Integer),
            Self::Decimal { scale } => decimal(text, scale).map(Value::Integer),
            Self::Double => text.parse().ok().map(Value::Double),
            Self::Boolean => match text {
                "true" | "t" => Some(Value::Boolean(true)),
                "false" | "f" => Some(Value::Boolean(false)),
                _ => None,
            },
        }
    }

    /// The format's type, and what is meant by it.
    fn types(self) -> (i32, Option<i32>) {
        match self {
            Self::Boolean => (0, None),
            Self::Integer => (2, None),
            Self::Timestamp => (2, Some(10)),
            Self::Decimal { .. } => (2, Some(5)),
            Self::Double => (5, None),
            Self::Text => (6, Some(0)),
        }
    }
}

/// `-12.5` with scale 3 is -12500.
fn decimal(text: &str, scale: u32) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let places = usize::try_from(scale).ok()?;
    if fraction.len() > places || !whole.ends_with(|last: char| last.is_ascii_digit()) {
        return None;
    }
    format!("{whole}{fraction:0<places$}").parse().ok()
}

/// Bits in bytes, the first one lowest.
fn bits(values: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (nth, value) in values.enumerate() {
        if nth % 8 == 0 {
            bytes.push(0);
        }
        if let Some(last) = bytes.last_mut() {
            *last |= u8::from(value) << (nth % 8);
        }
    }
    bytes
}

fn page_header(uncompressed: usize, compressed: usize, values: usize) -> Vec<u8> {
    let mut page = Struct::default();
    page.integer(1, values);
    page.number(2, PLAIN);
    page.number(3, RLE);
    page.number(4, RLE);
    let mut header = Struct::default();
    header.number(1, 0);
    header.integer(2, uncompressed);
    header.integer(3, compressed);
    header.structure(5, page);
    header.end()
}

fn footer(columns: &[Column<'_>], chunks: &[Chunk], rows: usize) -> Vec<u8> {
    let mut root = Struct::default();
    root.text(4, "schema");
    root.integer(5, columns.len());
    let mut schema = vec![root.end()];
    schema.extend(columns.iter().map(element));
    let stored: Vec<_> = columns
        .iter()
        .zip(chunks)
        .map(|(column, chunk)| stored(column, chunk, rows))
        .collect();
    let mut group = Struct::default();
    group.structures(1, &stored);
    group.long(2, chunks.iter().map(|chunk| chunk.uncompressed).sum());
    group.long(3, rows);
    let mut file = Struct::default();
    file.number(1, 1);
    file.structures(2, &schema);
    file.long(3, rows);
    file.structures(4, &[group.end()]);
    file.text(6, concat!("pourtrait ", env!("CARGO_PKG_VERSION")));
    file.end()
}

/// A column of the schema.
fn element(column: &Column<'_>) -> Vec<u8> {
    let (physical, meaning) = column.kind.types();
    let mut element = Struct::default();
    element.number(1, physical);
    element.number(3, OPTIONAL);
    element.text(4, column.name);
    if let Some(meaning) = meaning {
        element.number(6, meaning);
    }
    if let Kind::Decimal { scale } = column.kind {
        element.number(7, i32::try_from(scale).unwrap_or_default());
        element.number(8, 18);
    }
    element.end()
}

/// A column of the row group.
fn stored(column: &Column<'_>, chunk: &Chunk, rows: usize) -> Vec<u8> {
    let mut about = Struct::default();
    about.number(1, column.kind.types().0);
    about.numbers(2, &[PLAIN, RLE]);
    about.texts(3, &[column.name]);
    about.number(4, ZSTD);
    about.long(5, rows);
    about.long(6, chunk.uncompressed);
    about.long(7, chunk.compressed);
    about.long(9, chunk.offset);
    let mut stored = Struct::default();
    stored.long(2, chunk.offset);
    stored.structure(3, about);
    stored.end()
}

/// A structure of Thrift's compact protocol, in which the format describes itself.
#[derive(Default)]
struct Struct {
    bytes: Vec<u8>,
    last: u8,
}

impl Struct {
    /// The header of a field: how far it is from the one before, and its type.
    fn field(&mut self, id: u8, kind: u8) {
        self.bytes.push(((id - self.last) << 4) | kind);
        self.last = id;
    }

    fn number(&mut self, id: u8, value: i32) {
        self.field(id, 5);
        self.bytes.extend(zigzag(value.into()));
    }

    /// A size, as a number of 32 bits.
    fn integer(&mut self, id: u8, value: usize) {
        self.number(id, i32::try_from(value).unwrap_or(i32::MAX));
    }

    /// A size, as a number of 64 bits.
    fn long(&mut self, id: u8, value: usize) {
        self.field(id, 6);
        self.bytes
            .extend(zigzag(i64::try_from(value).unwrap_or(i64::MAX)));
    }

    fn text(&mut self, id: u8, text: &str) {
        self.field(id, 8);
        self.bytes.extend(counted(text));
    }

    fn structure(&mut self, id: u8, value: Self) {
        self.field(id, 12);
        self.bytes.extend(value.end());
    }

    fn list(&mut self, id: u8, kind: u8, length: usize) {
        self.field(id, 9);
        match u8::try_from(length) {
            Ok(short) if short < 15 => self.bytes.push((short << 4) | kind),
            _ => {
                self.bytes.push(0xf0 | kind);
                self.bytes.extend(varint(length as u64));
            }
        }
    }

    fn numbers(&mut self, id: u8, values: &[i32]) {
        self.list(id, 5, values.len());
        self.bytes
            .extend(values.iter().flat_map(|value| zigzag((*value).into())));
    }

    fn texts(&mut self, id: u8, values: &[&str]) {
        self.list(id, 8, values.len());
        self.bytes
            .extend(values.iter().flat_map(|text| counted(text)));
    }

    fn structures(&mut self, id: u8, values: &[Vec<u8>]) {
        self.list(id, 12, values.len());
        self.bytes.extend(values.concat());
    }

    fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

fn counted(text: &str) -> Vec<u8> {
    let mut bytes = varint(text.len() as u64);
    bytes.extend(text.as_bytes());
    bytes
}

/// Small numbers of either sign in few bytes.
fn zigzag(value: i64) -> Vec<u8> {
    varint((value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned())
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(2);
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_exact_and_what_is_none_is_null() {
        for (text, scale, expected) in [
            ("12.5", 3, Some(12_500)),
            ("-12.5", 3, Some(-12_500)),
            ("-0.001", 3, Some(-1)),
            ("7", 0, Some(7)),
            ("7", 2, Some(700)),
            ("1.2345", 3, None),
            ("NaN", 3, None),
            ("", 3, None),
        ] {
            assert_eq!(decimal(text, scale), expected, "{text} {scale}");
        }
    }

    #[test]
    fn numbers_are_as_thrift_has_them() {
        for (value, bytes) in [
            (0, &[0][..]),
            (-1, &[1]),
            (1, &[2]),
            (-64, &[127]),
            (64, &[128, 1]),
            (300, &[0xd8, 0x04]),
        ] {
            assert_eq!(zigzag(value), bytes, "{value}");
        }
        assert_eq!(
            bits([true, false, true, true, false, false, false, true, true].into_iter()),
            [0b1000_1101, 1]
        );
    }

    /// It begins and ends as one, and its footer lies where it says.
    #[test]
    fn a_file_begins_and_ends_as_one_of_the_format() {
        let column = Column {
            name: "n",
            kind: Kind::Integer,
            values: vec![Some("1"), None, Some("x")],
        };
        let file = write(&[column]).unwrap();
        assert!(file.starts_with(MAGIC) && file.ends_with(MAGIC));
        let at = file.len() - 8;
        let length = u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        // The first field of the footer is the version, 1.
        assert_eq!(&file[at - length..at - length + 2], [0x15, 0x02]);
    }
}
