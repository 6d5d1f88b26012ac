//! The form of the bytes on a link.
//!
//! A frame is a header of 16 bytes and a body: `length: u32 | kind: u8 | three zero bytes | sequence: u64 | body`, all
//! little-endian. The first frame each way is a [`Hello`]; then come [`Ack`]s and messages. Messages are numbered from 0
//! over the life of the link, not of the connection.

use super::links::{Kind, LinkError, MAX_BODY};

/// Bytes of a frame's header.
pub const HEADER: usize = 16;
/// The version of the wire; ends of different versions do not talk.
pub const VERSION: u32 = 1;

const MAGIC: &[u8; 8] = b"veilgrid";
const HELLO: u8 = 64;
const ACK: u8 = 65;
const HELLO_BODY: usize = 56;
const ACK_BODY: usize = 8;

/// What a frame is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameKind {
    /// A [`Hello`].
    Hello,
    /// An [`Ack`].
    Ack,
    /// A message of the protocol.
    Message(Kind),
}

/// A frame without its body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Bytes of the body.
    pub length: usize,
    /// What the frame is.
    pub kind: FrameKind,
    /// A message's number; in the others, the number of the message that the sender has not had yet.
    pub sequence: u64,
}

impl Header {
    /// Reads a header. A kind that is not known, a length that its kind cannot have and padding that is not zero are
    /// violations.
    pub fn parse(bytes: &[u8; HEADER]) -> Result<Self, LinkError> {
        let length = u32::from_le_bytes(field(bytes, 0)) as usize;
        let kind = match bytes[4] {
            HELLO => FrameKind::Hello,
            ACK => FrameKind::Ack,
            byte => FrameKind::Message(Kind::try_from(byte)?),
        };
        if bytes[5..8] != [0; 3] {
            return violation("a frame whose padding is not zero");
        }
        let (allowed, exact) = match kind {
            FrameKind::Hello => (HELLO_BODY, true),
            FrameKind::Ack => (ACK_BODY, true),
            FrameKind::Message(Kind::Bye) => (0, true),
            FrameKind::Message(_) => (MAX_BODY, false),
        };
        if length > allowed {
            return violation(format!("a frame of {length} bytes where at most {allowed} are allowed"));
        }
        if exact && length != allowed {
            return violation(format!("a frame of {length} bytes where {allowed} are due"));
        }
        Ok(Self { length, kind, sequence: u64::from_le_bytes(field(bytes, 8)) })
    }

    /// The bytes that [`Header::parse`] reads.
    pub fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let length = u32::try_from(self.length).expect("a body is at most 1 MiB");
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        bytes[4] = match self.kind {
            FrameKind::Hello => HELLO,
            FrameKind::Ack => ACK,
            FrameKind::Message(kind) => kind as u8,
        };
        bytes[8..].copy_from_slice(&self.sequence.to_le_bytes());
        bytes
    }
}

/// The first frame of each end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hello {
    /// The sender's index.
    pub from: u32,
    /// The index of the party that the sender believes to have reached.
    pub to: u32,
    /// How many parties the sender knows of.
    pub parties: u32,
    /// The run.
    pub run: [u8; 16],
    /// Drawn at random once per process, never 0.
    pub epoch: u64,
    /// The receiver's epoch as the sender knows it; 0 where they never met.
    pub known_epoch: u64,
    /// The number of the first message that the sender has not had.
    pub next: u64,
}

impl Hello {
    /// The whole frame.
    pub fn encode(&self) -> Vec<u8> {
        let header = Header { length: HELLO_BODY, kind: FrameKind::Hello, sequence: self.next };
        let mut bytes = Vec::with_capacity(HEADER + HELLO_BODY);
        bytes.extend(header.encode());
        bytes.extend(MAGIC);
        for word in [VERSION, self.from, self.to, self.parties] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(self.run);
        bytes.extend(self.epoch.to_le_bytes());
        bytes.extend(self.known_epoch.to_le_bytes());
        bytes
    }

    /// Reads the body of a hello frame.
    pub fn parse(header: &Header, body: &[u8]) -> Result<Self, LinkError> {
        if header.kind != FrameKind::Hello || body.len() != HELLO_BODY || body[..8] != *MAGIC {
            return violation("something other than a hello where one was due");
        }
        let word = |index: usize| u32::from_le_bytes(field(body, 8 + 4 * index));
        if word(0) != VERSION {
            return violation(format!(
                "a hello of wire version {}; this is version {VERSION}: use the same release at every party",
                word(0)
            ));
        }
        let hello = Self {
            from: word(1),
            to: word(2),
            parties: word(3),
            run: field(body, 24),
            epoch: u64::from_le_bytes(field(body, 40)),
            known_epoch: u64::from_le_bytes(field(body, 48)),
            next: header.sequence,
        };
        if hello.epoch == 0 {
            return violation("a hello without an epoch");
        }
        Ok(hello)
    }
}

/// Says what has come; also sent, unchanged, to show that the sender lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ack {
    /// The number of the first message that has not come.
    pub received: u64,
    /// The number of the first message that has not been taken out of the queue; at most `received`.
    pub taken: u64,
}

impl Ack {
    /// The whole frame.
    pub fn encode(&self) -> [u8; HEADER + ACK_BODY] {
        let header = Header { length: ACK_BODY, kind: FrameKind::Ack, sequence: self.received };
        let mut bytes = [0; HEADER + ACK_BODY];
        bytes[..HEADER].copy_from_slice(&header.encode());
        bytes[HEADER..].copy_from_slice(&self.taken.to_le_bytes());
        bytes
    }

    /// Reads the body of an acknowledgement.
    pub fn parse(header: &Header, body: &[u8]) -> Result<Self, LinkError> {
        if header.kind != FrameKind::Ack || body.len() != ACK_BODY {
            return violation("something other than an acknowledgement where one was due");
        }
        let ack = Self { received: header.sequence, taken: u64::from_le_bytes(field(body, 0)) };
        if ack.taken > ack.received {
            return violation("an acknowledgement of more messages taken than received");
        }
        Ok(ack)
    }
}

/// A frame in a buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Frame<'a> {
    /// A greeting.
    Hello(Hello),
    /// An acknowledgement.
    Ack(Ack),
    /// A message.
    Message {
        /// What it is for.
        kind: Kind,
        /// Its number.
        sequence: u64,
        /// Its content.
        body: &'a [u8],
    },
}

/// Takes one frame off the front of a buffer and returns it with the rest; `None` where more bytes are needed.
pub fn parse(bytes: &[u8]) -> Result<Option<(Frame<'_>, &[u8])>, LinkError> {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else {
        return Ok(None);
    };
    let header = Header::parse(header)?;
    let Some((body, rest)) = rest.split_at_checked(header.length) else {
        return Ok(None);
    };
    let frame = match header.kind {
        FrameKind::Hello => Frame::Hello(Hello::parse(&header, body)?),
        FrameKind::Ack => Frame::Ack(Ack::parse(&header, body)?),
        FrameKind::Message(kind) => Frame::Message { kind, sequence: header.sequence, body },
    };
    Ok(Some((frame, rest)))
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("the slice has the array's length")
}

fn violation<T>(what: impl Into<String>) -> Result<T, LinkError> {
    Err(LinkError::Violation(what.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds() -> impl Strategy<Value = Kind> {
        (1u8..=7).prop_map(|byte| Kind::try_from(byte).unwrap())
    }

    proptest! {
        #[test]
        fn messages_round_trip(kind in kinds(), sequence: u64, body in prop::collection::vec(any::<u8>(), 0..300), tail in prop::collection::vec(any::<u8>(), 0..40)) {
            let header = Header { length: body.len(), kind: FrameKind::Message(kind), sequence };
            let bytes = [&header.encode()[..], &body, &tail].concat();
            let (frame, rest) = parse(&bytes).unwrap().unwrap();
            prop_assert_eq!(frame, Frame::Message { kind, sequence, body: &body });
            prop_assert_eq!(rest, &tail[..]);
            for cut in 0..HEADER + body.len() {
                prop_assert!(parse(&bytes[..cut]).unwrap().is_none());
            }
        }

        #[test]
        fn control_frames_round_trip(from: u32, to: u32, parties: u32, run: [u8; 16], epoch in 1u64.., known_epoch: u64, next: u64) {
            let hello = Hello { from, to, parties, run, epoch, known_epoch, next };
            let bytes = hello.encode();
            prop_assert_eq!(parse(&bytes).unwrap().unwrap().0, Frame::Hello(hello));
            let ack = Ack { received: epoch.max(next), taken: epoch.min(next) };
            let bytes = ack.encode();
            prop_assert_eq!(parse(&bytes).unwrap().unwrap().0, Frame::Ack(ack));
        }

        #[test]
        fn any_bytes_are_a_frame_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(Some((_, rest))) = parse(&bytes) {
                prop_assert!(rest.len() + HEADER <= bytes.len());
            }
        }
    }

    #[test]
    fn what_breaks_the_rules_is_named() {
        let sound = Header { length: 3, kind: FrameKind::Message(Kind::Seed), sequence: 1 }.encode();
        let faulty = |change: fn(&mut [u8; HEADER])| {
            let mut bytes = sound;
            change(&mut bytes);
            parse(&bytes).unwrap_err().to_string()
        };
        assert!(
            faulty(|b| b[..4].copy_from_slice(&(MAX_BODY as u32 + 1).to_le_bytes()))
                .contains("1048577 bytes")
        );
        assert!(faulty(|b| b[4] = 200).contains("unknown kind 200"));
        assert!(faulty(|b| b[6] = 1).contains("padding"));
        assert!(faulty(|b| b[4] = Kind::Bye as u8).contains("at most 0"));
        assert!(faulty(|b| b[4] = ACK).contains("where 8 are due"));
    }
}
