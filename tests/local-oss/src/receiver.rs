//! An application server for tests: it receives callbacks and answers what it is told to.

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, split},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Semaphore,
    task::spawn_blocking,
    time::{sleep, timeout},
};

use crate::{
    background::Background,
    history::History,
    message::{BodyLength, MessageReader, body_length},
    record::{bytes_of, header},
    tls::Identity,
};

const MOST_CONNECTIONS: usize = 1024;
/// No callback is larger: its template and its variables are not.
const LARGEST_BODY: u64 = 16 * 1024 * 1024;
const KEPT_BYTES: usize = 128 * 1024 * 1024;
/// For a request of which nothing more comes, and for an answer that nobody takes.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// `POST`, from OSS.
    pub method: String,
    /// Path and query, not decoded.
    pub target: String,
    /// In the order and spelling they came.
    pub headers: Vec<(String, String)>,
    /// All of it.
    pub body: Vec<u8>,
    /// The name that the client asked for in its TLS handshake (SNI).
    pub server_name: Option<String>,
}

impl ReceivedRequest {
    /// The first value of a header, its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The body as text, with what is not UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What a [`Receiver`] does with a request.
#[derive(Clone, Debug)]
pub struct Answer(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Response {
        status: u16,
        headers: Vec<(String, String)>,
        framing: Framing,
        body: Vec<u8>,
        then_silence: bool,
    },
    Raw {
        bytes: Vec<u8>,
        then_silence: bool,
    },
    Close,
}

#[derive(Clone, Debug)]
enum Framing {
    Length(String),
    None,
    Chunked,
}

impl Answer {
    /// A response with this status, Content-Type and body, and the right Content-Length.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self(Kind::Response {
            status,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            framing: Framing::Length(body.len().to_string()),
            body,
            then_silence: false,
        })
    }

    /// 200 with this body as `application/json`, which nobody checks.
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, "application/json", body)
    }

    /// This status with a small JSON body.
    pub fn status(status: u16) -> Self {
        Self::new(
            status,
            "application/json",
            format!("{{\"status\":{status}}}"),
        )
    }

    /// These bytes in place of a response; then the connection is closed.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Kind::Raw {
            bytes: bytes.into(),
            then_silence: false,
        })
    }

    /// Nothing, until the other side closes the connection or the receiver is dropped.
    pub fn silence() -> Self {
        Self::raw([]).then_silence()
    }

    /// Nothing: the connection is closed.
    pub fn close() -> Self {
        Self(Kind::Close)
    }

    /// Adds a header. No effect on an answer that is not a response.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Kind::Response { headers, .. } = &mut self.0 {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Says this in Content-Length, right or wrong.
    pub fn content_length(self, text: impl ToString) -> Self {
        self.framed(Framing::Length(text.to_string()))
    }

    /// No Content-Length: the body ends with the connection.
    pub fn without_content_length(self) -> Self {
        self.framed(Framing::None)
    }

    /// No Content-Length: the body is sent in chunks.
    pub fn chunked(self) -> Self {
        self.framed(Framing::Chunked)
    }

    /// Does not close the connection at the end.
    pub fn then_silence(mut self) -> Self {
        match &mut self.0 {
            Kind::Response { then_silence, .. } | Kind::Raw { then_silence, .. } => {
                *then_silence = true;
            }
            Kind::Close => {}
        }
        self
    }

    fn framed(mut self, new: Framing) -> Self {
        if let Kind::Response { framing, .. } = &mut self.0 {
            *framing = new;
        }
        self
    }

    /// What to write, and whether to close after it.
    fn into_bytes(self) -> (Vec<u8>, bool) {
        match self.0 {
            Kind::Close => (Vec::new(), true),
            Kind::Raw {
                bytes,
                then_silence,
            } => (bytes, !then_silence),
            Kind::Response {
                status,
                headers,
                framing,
                body,
                then_silence,
            } => {
                let mut head = format!("HTTP/1.1 {status} Answer\r\nConnection: close\r\n");
                for (name, value) in &headers {
                    head.push_str(&format!("{name}: {value}\r\n"));
                }
                match &framing {
                    Framing::Length(length) => {
                        head.push_str(&format!("Content-Length: {length}\r\n"))
                    }
                    Framing::Chunked => head.push_str("Transfer-Encoding: chunked\r\n"),
                    Framing::None => {}
                }
                head.push_str("\r\n");
                let mut bytes = head.into_bytes();
                if let Framing::Chunked = framing {
                    if !body.is_empty() {
                        bytes.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
                        bytes.extend_from_slice(&body);
                        bytes.extend_from_slice(b"\r\n");
                    }
                    bytes.extend_from_slice(b"0\r\n\r\n");
                } else {
                    bytes.extend_from_slice(&body);
                }
                (bytes, !then_silence)
            }
        }
    }
}

/// A running application server on a free port of 127.0.0.1. It stops when it is dropped, whatever it is doing.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// use local_oss::{Answer, Receiver};
///
/// let receiver = Receiver::start(|request| match request.target.as_str() {
///     "/callback" => Answer::json(r#"{"Status":"OK"}"#),
///     _ => Answer::status(404),
/// })?;
/// assert!(receiver.url("/callback").starts_with("http://127.0.0.1:"));
/// assert!(receiver.requests().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Receiver {
    background: Background,
    requests: Arc<History<ReceivedRequest>>,
    certificate_pem: Option<String>,
}

impl Receiver {
    /// Starts it. The function is called once for each request, for up to 256 at once; it may block.
    ///
    /// # Errors
    ///
    /// There is no port or no thread to be had.
    pub fn start(
        answer: impl Fn(&ReceivedRequest) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::start_with(Box::new(answer), None)
    }

    /// Starts one that speaks TLS, with a certificate made for 127.0.0.1, localhost and these names.
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// use local_oss::{Answer, Receiver, Server};
    ///
    /// let receiver = Receiver::start_tls(&["app.example.com"], |_| Answer::json("{}"))?;
    /// assert!(receiver.url("/callback").starts_with("https://127.0.0.1:"));
    /// // This server trusts it:
    /// let server = Server::builder().callback_ca(receiver.certificate_pem().unwrap()).start()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// There is no port or no thread to be had, or a name cannot be one.
    pub fn start_tls(
        names: &[&str],
        answer: impl Fn(&ReceivedRequest) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::start_with(
            Box::new(answer),
            Some(Identity::new(address, &names, false)?),
        )
    }

    fn start_with(answer: Answering, tls: Option<Identity>) -> io::Result<Self> {
        let requests = Arc::new(History::new(KEPT_BYTES));
        let certificate_pem = tls.as_ref().map(|tls| tls.authority_pem().to_owned());
        let shared = Arc::new(Shared {
            answer,
            tls,
            requests: Arc::clone(&requests),
        });
        let background = Background::start("receiver", "127.0.0.1:0", |_| {
            Ok(move |listener| serve(shared, listener))
        })?;
        Ok(Self {
            background,
            requests,
            certificate_pem,
        })
    }

    /// The URL of a path, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        let scheme = match self.certificate_pem {
            Some(_) => "https",
            None => "http",
        };
        format!("{scheme}://{}{path}", self.address())
    }

    /// The certificate that clients have to trust, as a PEM document; `None` if it speaks no TLS.
    pub fn certificate_pem(&self) -> Option<&str> {
        self.certificate_pem.as_deref()
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.background.address()
    }

    /// All requests that came in whole, in order. They are here before they are answered.
    ///
    /// Only the latest are kept once all together take more than 128 MiB.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.requests.all()
    }

    /// [`requests`](Self::requests), once there were `count` of them or `patience` has ended.
    pub fn wait_for_requests(&self, count: usize, patience: Duration) -> Vec<ReceivedRequest> {
        self.requests.wait_for(count, patience)
    }
}

type Answering = Box<dyn Fn(&ReceivedRequest) -> Answer + Send + Sync>;

struct Shared {
    answer: Answering,
    tls: Option<Identity>,
    requests: Arc<History<ReceivedRequest>>,
}

async fn serve(shared: Arc<Shared>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            // Whoever sends no request, or takes no answer, is left alone.
            let _ = accept(shared, stream).await;
            drop(place);
        });
    }
}

async fn accept(shared: Arc<Shared>, stream: TcpStream) -> io::Result<()> {
    let Some(tls) = &shared.tls else {
        return answer(shared, stream, None).await;
    };
    let stream = timeout(IDLE_TIMEOUT, tls.acceptor().accept(stream)).await??;
    let server_name = stream.get_ref().1.server_name().map(str::to_owned);
    answer(shared, stream, server_name).await
}

/// One request a connection, as callbacks have it.
async fn answer(
    shared: Arc<Shared>,
    stream: impl AsyncRead + AsyncWrite,
    server_name: Option<String>,
) -> io::Result<()> {
    let (reader, mut writer) = split(stream);
    let mut reader = MessageReader::new(reader);
    let mut request = timeout(IDLE_TIMEOUT, read_request(&mut reader)).await??;
    request.server_name = server_name;
    let bytes = size_of::<ReceivedRequest>() + request.target.len() + request.body.len();
    shared
        .requests
        .push(request.clone(), bytes + bytes_of(&request.headers));

    let answer = spawn_blocking(move || (shared.answer)(&request)).await;
    // A function that panics answers nothing; its message is on stderr.
    let (bytes, close) = answer.unwrap_or_else(|_| Answer::close()).into_bytes();
    let write = async {
        writer.write_all(&bytes).await?;
        writer.flush().await
    };
    timeout(IDLE_TIMEOUT, write).await??;
    if !close {
        // Ends when the other side does.
        let _ = reader.discard().await;
    }
    timeout(IDLE_TIMEOUT, writer.shutdown()).await?
}

async fn read_request(
    reader: &mut MessageReader<impl AsyncRead + Unpin>,
) -> io::Result<ReceivedRequest> {
    let head = reader.request_head().await?;
    let length = match body_length(&head.headers) {
        BodyLength::Bytes(length) if length <= LARGEST_BODY => length,
        BodyLength::Missing => 0,
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    let mut body = Vec::new();
    reader.body(length as usize, &mut body).await?;
    Ok(ReceivedRequest {
        method: head.method,
        target: head.target,
        headers: head.headers,
        body,
        server_name: None,
    })
}

/// An address that refuses connections for as long as this value lives: the port is taken, but nobody listens.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// let refused = local_oss::RefusedAddress::new()?;
/// assert!(std::net::TcpStream::connect(refused.address()).is_err());
/// # Ok(())
/// # }
/// ```
pub struct RefusedAddress {
    address: SocketAddr,
    /// Held so that nobody else gets the port.
    _socket: TcpSocket,
}

impl fmt::Debug for RefusedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RefusedAddress")
            .field(&self.address)
            .finish()
    }
}

impl RefusedAddress {
    /// Takes a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// There is none to be had.
    pub fn new() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        Ok(Self {
            address: socket.local_addr()?,
            _socket: socket,
        })
    }

    /// The address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}
