//! One direction of one connection of a failing network: carries its bytes, and does what goes wrong with them.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use super::impostor::{Asked, Heard, Impostor, Impostors, Reach, Stay};
use super::network::{Action, Direction, Fault, Link};
use super::observed::len_of_answer;

/// Carries the bytes of one direction of one connection.
pub struct Pump {
    pub link: Arc<Link>,
    pub direction: Direction,
    pub visit: Visit,
}

/// What impostors do to the requests of a connection.
#[derive(Default)]
pub struct Visit {
    /// Those it is about.
    impostors: Arc<Impostors>,
    /// The beginning of a head: who hears it is not known yet.
    held: Vec<u8>,
    /// The request that is under way.
    number: Option<u64>,
    by: Option<Impostor>,
    /// It has answered already.
    answered: bool,
    /// It has taken the connection over.
    stays: Option<Impostor>,
}

/// What comes in place of an answer of OSS, or behind it.
pub struct Replacement {
    request: u64,
    heard: Heard,
    by: Impostor,
    /// What OSS has said so far.
    said: Vec<u8>,
}

impl Pump {
    pub fn new(link: Arc<Link>, direction: Direction) -> Pump {
        Pump {
            link,
            direction,
            visit: Visit::default(),
        }
    }

    fn from(&self) -> &TcpStream {
        match self.direction {
            Direction::Request => &self.link.client,
            Direction::Answer => &self.link.server,
        }
    }

    fn to(&self) -> &TcpStream {
        match self.direction {
            Direction::Request => &self.link.server,
            Direction::Answer => &self.link.client,
        }
    }

    /// Until nothing more goes this way.
    pub fn run(mut self) {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let Ok(count @ 1..) = self.from().read(&mut buffer) else {
                self.end();
                return;
            };
            let mut bytes = &mut buffer[..count];
            if self.direction == Direction::Request {
                self.link
                    .way(self.direction)
                    .recorder
                    .add(self.direction, bytes);
            }
            let mut left;
            if let Some(visited) = self.visit(bytes) {
                left = visited;
                bytes = &mut left[..];
            }
            while let Some((before, fault)) = self.due(bytes.len() as u64) {
                let (first, rest) = bytes.split_at_mut(before);
                if !self.pass(first) {
                    return;
                }
                let Some(rest) = self.act(fault, rest) else {
                    return;
                };
                bytes = rest;
            }
            if !self.pass(bytes) {
                return;
            }
        }
    }

    /// Nothing more comes this way.
    fn end(&mut self) {
        let held = std::mem::take(&mut self.visit.held);
        let _ = self.pass(&held);
        let replacement = self.link.way(self.direction).replacement.take();
        if let Some(replacement) = replacement {
            // OSS has not answered, or not in full.
            self.replace(&replacement, &[]);
        }
        let _ = self.to().shutdown(Shutdown::Write);
    }

    /// Lets impostors see to these bytes, and gives what is left of them for the other side; `None` if it is all of them.
    fn visit(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self.direction {
            Direction::Request => self.visit_request(bytes),
            Direction::Answer => self.visit_answer(bytes),
        }
    }

    fn visit_request(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let impostors = self.link.impostors();
        if !Arc::ptr_eq(&impostors, &self.visit.impostors) {
            self.visit = Visit {
                impostors: impostors.clone(),
                ..Visit::default()
            };
        }
        if impostors.is_empty() {
            return None;
        }
        self.visit.held.extend_from_slice(bytes);
        let request = self.link.way(Direction::Request).recorder.request();
        let Some((number, heard, all)) = request else {
            return Some(Vec::new());
        };
        if self.visit.number != Some(number) {
            let met = impostors.meet(&heard);
            let met = self.visit.stays.or(met);
            self.visit.number = Some(number);
            self.visit.by = met;
            self.visit.answered = false;
            self.visit.stays = met.filter(|by| by.stay == Stay::Connection);
            if let Some(by) = met
                && matches!(by.reach, Reach::Through | Reach::Behind)
            {
                self.link.way(Direction::Answer).replacement = Some(Replacement {
                    request: number,
                    heard: heard.clone(),
                    by,
                    said: Vec::new(),
                });
            }
        }
        let held = std::mem::take(&mut self.visit.held);
        let Some(by) = self.visit.by else {
            return Some(held);
        };
        match by.reach {
            Reach::Through | Reach::Behind => return Some(held),
            Reach::Ahead => {
                if all && !self.visit.answered {
                    self.visit.answered = true;
                    self.say(number, &heard, &by, Vec::new());
                }
                return Some(held);
            }
            Reach::Nothing if !all => {}
            Reach::Nothing | Reach::Head if !self.visit.answered => {
                self.visit.answered = true;
                self.say(number, &heard, &by, Vec::new());
            }
            Reach::Nothing | Reach::Head => {}
        }
        Some(Vec::new())
    }

    fn visit_answer(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut way = self.link.way(Direction::Answer);
        let replacement = way.replacement.as_mut()?;
        replacement.said.extend_from_slice(bytes);
        let to_head = replacement.heard.asked == Some(Asked::Head);
        let Some(len) = len_of_answer(&replacement.said, to_head) else {
            return Some(Vec::new());
        };
        let replacement = way.replacement.take()?;
        drop(way);
        self.replace(&replacement, &replacement.said[..len]);
        Some(replacement.said[len..].to_vec())
    }

    /// Says something in place of this answer of OSS, or behind it.
    fn replace(&self, replacement: &Replacement, answer: &[u8]) {
        let before = match replacement.by.reach {
            Reach::Behind => answer.to_vec(),
            _ => Vec::new(),
        };
        let (request, heard) = (replacement.request, &replacement.heard);
        self.say(request, heard, &replacement.by, before);
    }

    /// Lets an impostor speak, in one breath with what comes before.
    fn say(&self, request: u64, heard: &Heard, by: &Impostor, before: Vec<u8>) {
        self.link
            .way(Direction::Request)
            .recorder
            .answered_by(request, *by);
        let words = [before, by.says(heard)].concat();
        let mut way = self.link.way(Direction::Answer);
        way.recorder.add(Direction::Answer, &words);
        drop(way);
        if (&self.link.client).write_all(&words).is_err() {
            self.link.way(Direction::Answer).recorder.lose();
        }
        if by.closes() {
            let _ = self.link.client.shutdown(Shutdown::Write);
        }
    }

    /// A fault that comes within the next bytes, and how many go before. One at byte 0 waits for the first: before that
    /// nobody could say what came first, the fault or the request.
    fn due(&self, next: u64) -> Option<(usize, Fault)> {
        let mut way = self.link.way(self.direction);
        let fault = *way.faults.front()?;
        let at = (way.base + fault.at).max(way.passed);
        if at >= way.passed + next {
            return None;
        }
        way.faults.pop_front();
        way.struck.push(fault);
        Some(((at - way.passed) as usize, fault))
    }

    /// Notes what is about to go, and lets it go: whoever has got it finds it noted.
    fn pass(&self, bytes: &[u8]) -> bool {
        let mut way = self.link.way(self.direction);
        way.passed += bytes.len() as u64;
        way.records.add(bytes);
        drop(way);
        self.give(bytes)
    }

    /// Lets bytes go that nobody has sent.
    fn give(&self, bytes: &[u8]) -> bool {
        if self.direction == Direction::Answer {
            self.link
                .way(self.direction)
                .recorder
                .add(self.direction, bytes);
        }
        let gone = self.to().write_all(bytes).is_err();
        if gone {
            self.link.way(self.direction).recorder.lose();
        }
        !gone
    }

    /// Does what goes wrong, with the bytes that are at hand, and gives back what is left of them; `None` when nothing more
    /// goes this way.
    fn act<'a>(&self, fault: Fault, bytes: &'a mut [u8]) -> Option<&'a mut [u8]> {
        match fault.action {
            Action::Cut => {
                self.link.close();
                None
            }
            Action::Reset => {
                for stream in [self.to(), self.from()] {
                    let _ = rustix::net::connect_unspec(stream);
                }
                None
            }
            Action::Stall => {
                self.link.wait(Duration::from_secs(60));
                None
            }
            Action::HalfClose => {
                let _ = self.to().shutdown(Shutdown::Write);
                None
            }
            Action::Drip => {
                let mut at_hand = bytes.to_vec();
                loop {
                    for byte in &at_hand {
                        if !self.pass(&[*byte]) || self.link.wait(Duration::from_millis(100)) {
                            return None;
                        }
                    }
                    at_hand.resize(1024, 0);
                    let Ok(count @ 1..) = self.from().read(&mut at_hand) else {
                        return None;
                    };
                    at_hand.truncate(count);
                    if self.direction == Direction::Request {
                        let mut way = self.link.way(self.direction);
                        way.recorder.add(self.direction, &at_hand);
                    }
                }
            }
            Action::Corrupt => {
                bytes[0] ^= 1;
                Some(bytes)
            }
            Action::Pause(milliseconds) => {
                let gone = self.link.wait(Duration::from_millis(milliseconds.into()));
                (!gone).then_some(bytes)
            }
            Action::Lose(count) => self.lose(count.into(), bytes),
            Action::CutAfterRecord => {
                self.pass_record(bytes.to_vec());
                self.link.close();
                None
            }
            Action::HeaderFlood => {
                let lines =
                    b"x-flood: ................................................\r\n".repeat(100);
                while self.give(&lines) {}
                None
            }
            Action::EndlessBody => {
                hide_content_length(bytes);
                self.pass(bytes);
                while self.give(&[b'.'; 4096]) {}
                None
            }
            Action::Interim(count) => {
                for _ in 0..count {
                    if !self.give(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n") {
                        return None;
                    }
                }
                Some(bytes)
            }
            Action::Early(early) => {
                let answer = early.bytes();
                self.link
                    .way(Direction::Answer)
                    .recorder
                    .add(Direction::Answer, &answer);
                let _ = (&self.link.client).write_all(&answer);
                let _ = self.link.server.shutdown(Shutdown::Both);
                // Nothing of the rest is read: it would look as if it could be sent.
                self.link.wait(Duration::from_secs(60));
                self.link.close();
                None
            }
            // Has been done when the connection came.
            Action::Refuse | Action::Unasked(_) => Some(bytes),
        }
    }

    /// Takes bytes away, those at hand first.
    fn lose<'a>(&self, count: usize, bytes: &'a mut [u8]) -> Option<&'a mut [u8]> {
        let here = count.min(bytes.len());
        let mut left = count - here;
        self.link.way(self.direction).passed += here as u64;
        let mut buffer = [0; 1024];
        while left > 0 {
            let room = left.min(buffer.len());
            let Ok(count @ 1..) = self.from().read(&mut buffer[..room]) else {
                let _ = self.to().shutdown(Shutdown::Write);
                return None;
            };
            let mut way = self.link.way(self.direction);
            way.passed += count as u64;
            if self.direction == Direction::Request {
                way.recorder.add(self.direction, &buffer[..count]);
            }
            left -= count;
        }
        Some(&mut bytes[here..])
    }

    /// Lets go what belongs to the TLS record that is under way.
    fn pass_record(&self, mut bytes: Vec<u8>) {
        loop {
            for byte in &bytes {
                if self.link.way(self.direction).records.is_between() || !self.pass(&[*byte]) {
                    return;
                }
            }
            bytes.resize(1024, 0);
            let Ok(count @ 1..) = self.from().read(&mut bytes) else {
                return;
            };
            bytes.truncate(count);
        }
    }
}

/// Where TLS records end.
#[derive(Default)]
pub struct Records {
    head: Vec<u8>,
    left: usize,
}

impl Records {
    pub fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.left > 0 {
                self.left -= 1;
                continue;
            }
            self.head.push(*byte);
            if let [_, _, _, high, low] = self.head[..] {
                self.left = u16::from_be_bytes([high, low]).into();
                self.head.clear();
            }
        }
    }

    /// At the end of one, before the next.
    pub fn is_between(&self) -> bool {
        self.left == 0 && self.head.is_empty()
    }
}

/// Makes of an answer whose length is told one that ends with its connection.
fn hide_content_length(bytes: &mut [u8]) {
    const NAME: &[u8] = b"content-length";
    let position = bytes
        .windows(NAME.len())
        .position(|window| window.eq_ignore_ascii_case(NAME));
    if let Some(position) = position {
        bytes[position..position + NAME.len()].copy_from_slice(b"content-hidden");
    }
}
