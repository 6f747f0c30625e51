//! Tool: a client that asks and listens, over TLS or not, with patience but not for ever.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Ipv4Addr, TcpStream},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use conversation::Stream;
use openssl::ssl::{Ssl, SslContext, SslContextBuilder, SslMethod, SslStream, SslVerifyMode};
use resp::value::{Decoder, Value};

/// No answer takes so long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A connection, and what has come over it.
pub struct Client {
    stream: Box<dyn Stream + Send>,
    decoder: Decoder,
}

impl Client {
    /// Connects in plaintext.
    pub fn plain(port: u16) -> io::Result<Self> {
        Ok(Self::new(Box::new(socket(port)?)))
    }

    /// Connects through a file, where nobody speaks TLS.
    pub fn unix(path: &Path) -> io::Result<Self> {
        let socket = UnixStream::connect(path)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self::new(Box::new(socket)))
    }

    /// Connects by TLS to whoever answers.
    pub fn tls(port: u16) -> io::Result<Self> {
        Ok(Self::new(Box::new(handshake(port, trusting_anybody())?)))
    }

    fn new(stream: Box<dyn Stream + Send>) -> Self {
        Self { stream, decoder: Decoder::default() }
    }

    /// Sends a request and returns the reply.
    pub fn ask(&mut self, words: &[&str]) -> io::Result<Value> {
        self.say(&request(words))?;
        self.hear()
    }

    /// Sends a request and returns its reply as text: of an error, too.
    pub fn text(&mut self, words: &[&str]) -> io::Result<String> {
        Ok(match self.ask(words)? {
            Value::Simple(text) | Value::Bulk(text) | Value::Error(text) => {
                String::from_utf8_lossy(&text).into_owned()
            }
            Value::Integer(number) => number.to_string(),
            other => format!("{other:?}"),
        })
    }

    /// Returns a field of INFO; empty if there is none.
    pub fn field(&mut self, name: &str) -> io::Result<String> {
        let info = self.text(&["INFO", "everything"])?;
        let prefix = format!("{name}:");
        let value = info.lines().find_map(|line| line.strip_prefix(&prefix));
        Ok(value.unwrap_or_default().to_owned())
    }

    /// Sends bytes as they are.
    pub fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Returns the next reply. A clean end of the connection is `UnexpectedEof`.
    pub fn hear(&mut self) -> io::Result<Value> {
        let mut space = [0; 16 << 10];
        loop {
            if let Some(value) = self.decoder.advance().map_err(io::Error::other)? {
                return Ok(value);
            }
            match self.stream.read(&mut space)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                bytes => self.decoder.feed(&space[..bytes]),
            }
        }
    }

    /// Whether the other side has said goodbye: over TLS, with a `close_notify`.
    pub fn is_told_goodbye(&mut self) -> bool {
        matches!(self.hear(), Err(error) if error.kind() == ErrorKind::UnexpectedEof)
    }
}

/// Writes a request.
pub fn request(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
    }
    bytes
}

/// Connects a socket that waits for nothing longer than is bearable.
pub fn socket(port: u16) -> io::Result<TcpStream> {
    let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

/// Begins what a client says of TLS: it trusts anybody. An `SslConnector` would read the
/// system's whole bundle, which takes as long as a hundred handshakes.
pub fn trusting_anybody() -> SslContextBuilder {
    let mut builder = SslContext::builder(SslMethod::tls_client()).expect("OpenSSL has memory");
    builder.set_verify(SslVerifyMode::NONE);
    builder
}

/// Begins a connection to a server of these tests.
pub fn session(context: &SslContext) -> io::Result<Ssl> {
    let mut ssl = Ssl::new(context)?;
    ssl.set_hostname("localhost")?;
    Ok(ssl)
}

/// Connects and negotiates.
pub fn handshake(port: u16, builder: SslContextBuilder) -> io::Result<SslStream<TcpStream>> {
    session(&builder.build())?.connect(socket(port)?).map_err(io::Error::other)
}
