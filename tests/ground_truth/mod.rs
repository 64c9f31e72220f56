//! Random cases, each held against the truth.
//!
//! A case is an upload, its options and everything that goes wrong on its way, made from one number ([`case`]). It takes place
//! between a client, local-oss and an application server, with networks that fail on purpose between them ([`scene`]), and is
//! judged once nothing happens any more ([`checker`]).

#![allow(dead_code, reason = "each test uses its part")]

pub mod c_program;
pub mod case;
pub mod checker;
pub mod rust;
pub mod scene;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use oss_callback::Stored;

use case::{Abilities, Case, Operation, TURN_BITS, Way};
use checker::{
    Truth, Verdict, accepted, disagreements, false_look_ups, most_callbacks, time_limit,
};
use scene::{Looked, Scene, Uploader};

use support::impostor::{Asked, Reach, Stranger};

/// Cases after which a scene is left, since local-oss keeps what it stores.
const CASES_OF_A_SCENE: usize = 200;

/// Cases among which everything that can happen has happened.
const ENOUGH: usize = 2000;

/// Disagreements that are printed; then the run ends.
const MOST_TOLD: usize = 20;

/// Which cases are run.
pub struct Run {
    pub seed: u64,
    pub cases: usize,
    pub workers: usize,
    pub abilities: Abilities,
}

impl Run {
    /// From the environment: `OSS_CALLBACK_SEED`, `OSS_CALLBACK_CASES`, `OSS_CALLBACK_WORKERS`.
    pub fn new(seed: u64, cases: usize, abilities: Abilities) -> Run {
        Run {
            seed: number("OSS_CALLBACK_SEED").unwrap_or(seed),
            cases: number("OSS_CALLBACK_CASES").map_or(cases, |cases| cases as usize),
            workers: number("OSS_CALLBACK_WORKERS").map_or(16, |workers| workers as usize),
            abilities,
        }
    }

    /// Runs the cases, or the one that `OSS_CALLBACK_CASE` names, and fails if any is not told truly.
    pub fn hold(&self, uploader: impl Fn() -> Box<dyn Uploader> + Sync) -> Counts {
        let only = number("OSS_CALLBACK_CASE");
        // The first one leaves what belongs to the process: tokio has two descriptors for signals.
        drop(Scene::new());
        let before = Left::now();
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Counts::default()));
        let begun = Instant::now();
        let take = || {
            let index = next.fetch_add(1, Ordering::SeqCst);
            let told = done.lock().unwrap().disagreements.len();
            let cases = if only.is_some() { 1 } else { self.cases };
            (index < cases && told < MOST_TOLD).then(|| match only {
                Some(seed) => Case::new(seed, &self.abilities),
                None => Case::new(case_seed(self.seed, index as u64), &self.abilities),
            })
        };
        let work = || {
            let mut uploader = uploader();
            let mut next = take();
            while next.is_some() {
                let scene = Scene::new();
                let mut ran = Vec::new();
                while let Some(case) = next.take() {
                    let (verdict, truth, looked) = scene.run(&case, &mut *uploader);
                    let mut counts = done.lock().unwrap();
                    counts.add(&case, &verdict, &truth, looked.as_ref());
                    if only.is_some() {
                        eprintln!("{case}\n{verdict:#?}\n{truth:#?}\n{looked:#?}");
                    }
                    if counts.cases.is_multiple_of(5000) {
                        eprintln!("{} cases, {:?}", counts.cases, begun.elapsed());
                    }
                    drop(counts);
                    ran.push(case);
                    if ran.len() == CASES_OF_A_SCENE {
                        break;
                    }
                    next = take();
                }
                // One may come when OSS has given it up.
                for case in ran {
                    if scene.callbacks(&case.key()).len() > most_callbacks(&case) {
                        let what = "the callback was delivered again when everything was over";
                        done.lock().unwrap().disagree(&case, what);
                    }
                }
                drop(scene);
                if next.is_none() {
                    next = take();
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..self.workers.min(self.cases) {
                let worker = std::thread::Builder::new().name("worker".to_owned());
                worker.spawn_scoped(scope, work).unwrap();
            }
        });
        let mut counts = done.into_inner().unwrap();
        counts.seed = self.seed;
        eprintln!("{counts}\nin {:.0?}", begun.elapsed());
        assert!(
            counts.disagreements.is_empty(),
            "OSS_CALLBACK_SEED={} has disagreements, each of which OSS_CALLBACK_CASE=… runs alone:\n{}",
            self.seed,
            counts.disagreements.join("\n\n")
        );
        before.hold();
        if counts.cases >= ENOUGH {
            counts.hold_that_everything_happened();
            counts.hold_that_everybody_came(&self.abilities.asks());
        }
        counts
    }
}

/// Threads and descriptors of this process.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    threads: usize,
    descriptors: usize,
}

impl Left {
    fn now() -> Left {
        let count = |folder| std::fs::read_dir(folder).expect("this is Linux").count();
        Left {
            threads: count("/proc/self/task"),
            descriptors: count("/proc/self/fd"),
        }
    }

    /// Nothing is left of what came since. A thread that has been waited for may still be seen for a moment.
    fn hold(&self) {
        let begun = Instant::now();
        while Left::now() != *self {
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "before {self:?}, now {:?}",
                Left::now()
            );
            std::thread::yield_now();
        }
    }
}

fn case_seed(seed: u64, index: u64) -> u64 {
    let chance =
        Rng::with_seed(seed.wrapping_add(index.wrapping_mul(0x9E37_79B9_7F4A_7C15))).u64(..);
    let turn = (1 << TURN_BITS) - 1;
    chance & !turn | index & turn
}

/// A number of the environment, in decimal or with `0x`.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    Some(number.unwrap_or_else(|e| panic!("{name}={text}: {e}")))
}

/// What a run came to.
#[derive(Default)]
pub struct Counts {
    pub seed: u64,
    pub cases: usize,
    /// Of each operation: yes, no, unknown.
    pub verdicts: BTreeMap<Operation, [usize; 3]>,
    pub codes: BTreeMap<String, usize>,
    /// What reconciling said of those that were unknown.
    pub looked: BTreeMap<String, usize>,
    /// How often each fault came about.
    pub struck: BTreeMap<String, usize>,
    /// How often each impostor answered each request, itself and through OSS.
    pub met: BTreeMap<(Stranger, Asked), [usize; 2]>,
    /// What the network saw allowed one verdict only.
    pub strict: usize,
    /// Unknown, but stored; and unknown, and not stored.
    pub unknown: [usize; 2],
    /// How much longer than its limit an upload took, at most.
    pub late: Duration,
    pub disagreements: Vec<String>,
}

impl Counts {
    fn add(&mut self, case: &Case, verdict: &Verdict, truth: &Truth, looked: Option<&Looked>) {
        self.cases += 1;
        let verdicts = self.verdicts.entry(case.operation).or_default();
        verdicts[verdict.stored as usize] += 1;
        *self.codes.entry(verdict.code.clone()).or_default() += 1;
        for (connections, place) in [
            (&truth.connections, ""),
            (&truth.callback_connections, " of the callback"),
        ] {
            for fault in connections.iter().flat_map(|c| &c.struck) {
                let action = format!("{:?}", fault.action);
                let action = action.split_once(['(']).map_or(&*action, |(name, _)| name);
                let name = format!("{action} {:?}{place}", fault.direction);
                *self.struck.entry(name).or_default() += 1;
            }
        }
        let during = truth.connections.iter();
        for connection in during.chain(&truth.later_connections) {
            for exchange in &connection.exchanges {
                let Some(by) = exchange.by else { continue };
                let asked = Asked::of(&exchange.method, &exchange.target);
                let reaches = match by.reach {
                    Reach::Head | Reach::Nothing => 0,
                    Reach::Through | Reach::Ahead => 1,
                    Reach::Behind => {
                        *self.struck.entry("Behind".to_owned()).or_default() += 1;
                        continue;
                    }
                };
                if let Some(asked) = asked {
                    self.met.entry((by.who, asked)).or_default()[reaches] += 1;
                }
            }
        }
        if case.clock.iter().any(|ahead| ahead.abs() > 900) {
            *self.struck.entry("Clock".to_owned()).or_default() += 1;
        }
        if !matches!(case.way, Way::Address | Way::Name) {
            *self.struck.entry(format!("{:?}", case.way)).or_default() += 1;
        }
        self.late = self.late.max(truth.took.saturating_sub(time_limit(case)));
        let allowed = accepted(case, verdict, &truth.connections);
        self.strict += usize::from(allowed.is_strict());
        if verdict.stored == Stored::Unknown {
            self.unknown[usize::from(truth.stored.is_empty())] += 1;
        }
        let mut found = disagreements(case, verdict, truth);
        // Whoever finds nothing wrong with what is said must find something wrong with its opposite.
        let opposite = match verdict.stored {
            Stored::Yes => Some(Stored::No),
            Stored::No => Some(Stored::Yes),
            Stored::Unknown => None,
        };
        if let Some(stored) = opposite {
            let lie = Verdict {
                stored,
                ..verdict.clone()
            };
            if disagreements(case, &lie, truth).is_empty() {
                found.push("the checker would believe the opposite".to_owned());
            }
        }
        if let Some(looked) = looked {
            let name = format!("{looked:?}");
            let name = name.split_once(['(']).map_or(&*name, |(name, _)| name);
            *self.looked.entry(name.to_owned()).or_default() += 1;
            found.extend(false_look_ups(case, truth, looked));
        }
        if !found.is_empty() {
            let what = format!("{}\n{verdict:?}\n{truth:?}\n{looked:?}", found.join("; "));
            self.disagree(case, &what);
        }
    }

    /// A run in which nothing goes wrong proves nothing.
    fn hold_that_everything_happened(&self) {
        for (operation, verdicts) in &self.verdicts {
            // Of an upload in parts it is rare that nothing can be found out.
            let expected = if operation.is_in_parts() {
                &verdicts[..2]
            } else {
                verdicts
            };
            assert!(
                expected.iter().all(|count| *count > 0),
                "{operation:?}: {verdicts:?}"
            );
        }
        for fault in [
            "Corrupt",
            "Cut",
            "Drip",
            "HalfClose",
            "Lose",
            "Pause",
            "Reset",
            "Stall",
        ] {
            for direction in ["Request", "Answer"] {
                let name = format!("{fault} {direction}");
                assert!(self.struck.contains_key(&name), "no {name}");
            }
        }
        for fault in [
            "CutAfterRecord Answer",
            "EndlessBody Answer",
            "HeaderFlood Answer",
            "Interim Answer",
            "Early Request",
            "Refuse Request",
            "Cut Request of the callback",
            "Reset Answer of the callback",
            "Clock",
            "Refused",
            "SecondAddress",
            "Unasked Answer",
            "Behind",
        ] {
            assert!(self.struck.contains_key(fault), "no {fault}");
        }
        assert!(
            self.unknown.iter().all(|count| *count > 0),
            "{:?}",
            self.unknown
        );
        assert!(
            self.strict > self.cases / 2,
            "{} of {}",
            self.strict,
            self.cases
        );
    }

    /// Every impostor has answered every request, and every request was answered by some that had reached OSS and that had
    /// not.
    fn hold_that_everybody_came(&self, asked: &[Asked]) {
        for asked in asked {
            let mut answered = [0; 2];
            for who in Stranger::ALL {
                let count = self.met.get(&(who, *asked)).copied().unwrap_or_default();
                assert!(count != [0, 0], "{who:?} never answers {asked:?}");
                answered = [answered[0] + count[0], answered[1] + count[1]];
            }
            assert!(!answered.contains(&0), "{asked:?}: {answered:?}");
        }
    }

    fn disagree(&mut self, case: &Case, what: &str) {
        let told = format!("OSS_CALLBACK_CASE=0x{:x}: {what}\n{case}", case.seed);
        eprintln!("{told}\n");
        self.disagreements.push(told);
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed 0x{:x}, {} cases, {} disagreements",
            self.seed,
            self.cases,
            self.disagreements.len()
        )?;
        writeln!(
            f,
            "\n| operation | stored: yes | no | unknown |\n|---|---|---|---|"
        )?;
        let mut sum = [0; 3];
        for (operation, counts) in &self.verdicts {
            let [no, yes, unknown] = counts;
            writeln!(f, "| {operation:?} | {yes} | {no} | {unknown} |")?;
            sum = [sum[0] + no, sum[1] + yes, sum[2] + unknown];
        }
        let [no, yes, unknown] = sum;
        writeln!(f, "| all | {yes} | {no} | {unknown} |\n")?;
        let list = |counts: &BTreeMap<String, usize>| {
            let mut list = String::new();
            for (name, count) in counts {
                let separator = if list.is_empty() { "" } else { ", " };
                let _ = write!(list, "{separator}{name} {count}");
            }
            list
        };
        let [stored, not] = self.unknown;
        writeln!(
            f,
            "unknown: {stored} stored, {not} not; reconcile: {}",
            list(&self.looked)
        )?;
        writeln!(f, "only one verdict possible: {}", self.strict)?;
        writeln!(f, "longer than its limit: at most {:?}", self.late)?;
        writeln!(f, "results: {}", list(&self.codes))?;
        writeln!(f, "faults: {}", list(&self.struck))?;
        write!(f, "\n| answered by |")?;
        Asked::ALL
            .iter()
            .try_for_each(|asked| write!(f, " {asked:?} |"))?;
        write!(f, "\n|---|{}", "---|".repeat(Asked::ALL.len()))?;
        for who in Stranger::ALL {
            write!(f, "\n| {who:?} |")?;
            for asked in Asked::ALL {
                match self.met.get(&(who, asked)) {
                    Some([alone, through]) => write!(f, " {alone}+{through} |")?,
                    None => write!(f, " |")?,
                }
            }
        }
        Ok(())
    }
}
