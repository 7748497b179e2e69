//! Ten gateways and a real Redis, in time that the tests set.

use std::collections::{BTreeMap, VecDeque};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use super::*;
use crate::breaker::Standing;
use crate::limits::{OrderCounts, WHOLE, Weights};
use types::AccountId;

const GATEWAYS: usize = 10;
const MILLI: u64 = 1_000_000;
/// Waited at most for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A Redis of this test alone, without persistence.
struct Redis {
    dir: tempfile::TempDir,
    port: u16,
    process: Option<Child>,
}

impl Redis {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut redis = Self { dir: tempfile::tempdir().unwrap(), port, process: None };
        redis.begin();
        redis
    }

    fn begin(&mut self) {
        let Self { dir, port, .. } = self;
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
        command.args(["--save", "", "--appendonly", "no", "--dir"]).arg(Path::new(dir.path()));
        let started = command.stdout(Stdio::null()).spawn();
        self.process = Some(started.expect("redis-server: scripts/setup.sh redis installs it"));
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "Redis does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    fn settings(&self) -> SharedLimits {
        let address = format!("redis://127.0.0.1:{}", self.port);
        let settings = SharedLimits::new(&address, GATEWAYS as u32).unwrap();
        // The machine of a test may be busy.
        SharedLimits { timeout: Duration::from_secs(5), ..settings }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Gateways with one clock.
struct Cluster {
    gateways: Vec<Arc<Together>>,
    now: Arc<AtomicU64>,
}

impl Cluster {
    fn new(redis: &Redis) -> Self {
        let now = Arc::new(AtomicU64::new(1_700_000_000 * SECOND));
        let gateway = |_| {
            let clock = Clock::Set(Arc::clone(&now));
            Arc::new(Together::with_clock(&redis.settings(), 1_000, clock))
        };
        Self { gateways: (0..GATEWAYS).map(gateway).collect(), now: Arc::clone(&now) }
    }

    fn clock(&self) -> Clock {
        Clock::Set(Arc::clone(&self.now))
    }

    fn now(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }

    fn pass(&self, nanos: u64) {
        self.now.fetch_add(nanos, Ordering::SeqCst);
    }

    async fn ask(&self, gateway: usize, subject: Subject<'_>, most: u32) -> bool {
        self.gateways[gateway].admit(subject, most).await.is_ok()
    }

    fn all_are(&self, standing: Standing) -> bool {
        self.gateways.iter().all(|gateway| gateway.breaker().standing() == standing)
    }

    /// Until every gateway asks Redis again, and is answered.
    async fn recovers(&self) {
        let (begun, nobody) = (Instant::now(), Subject::Address([192, 0, 2, 1].into()));
        for (number, gateway) in self.gateways.iter().enumerate() {
            let (before, _) = gateway.asked();
            while gateway.asked().0 == before {
                assert!(begun.elapsed() < PATIENCE, "limits are not shared again");
                self.ask(number, nobody, 1_000).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        assert!(self.all_are(Standing::Closed));
    }
}

/// Remembers every request that it admitted.
#[derive(Default)]
struct Log(VecDeque<u64>);

impl Log {
    fn count(&mut self, length: u64, now: u64) -> usize {
        while self.0.front().is_some_and(|&at| at + length <= now) {
            self.0.pop_front();
        }
        self.0.len()
    }

    fn admit(&mut self, most: u32, length: u64, now: u64) -> bool {
        let fits = self.count(length, now) < most as usize;
        if fits {
            self.0.push_back(now);
        }
        fits
    }
}

/// A generator of tests: xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        for (left, by) in [(true, 13), (false, 7), (true, 17)] {
            self.0 ^= if left { self.0 << by } else { self.0 >> by };
        }
        self.0 % bound
    }

    /// Small numbers often, large ones seldom.
    fn skewed(&mut self, bound: u64) -> u64 {
        let smaller = self.below(bound) + 1;
        self.below(smaller)
    }
}

#[tokio::test]
async fn ten_gateways_admit_what_an_exact_log_would_but_for_one_in_a_hundred() {
    let redis = Redis::start();
    let cluster = Cluster::new(&redis);
    let key = |name: &str| Arc::from(name);
    let (vip, plain): (Arc<str>, Arc<str>) = (key("vip"), key("plain"));
    let subjects = [
        (Subject::All, 20_000, SECOND),
        (Subject::Key(&vip, Class::Other), 6_000, MINUTE),
        (Subject::Key(&plain, Class::Other), 600, MINUTE),
        (Subject::Key(&plain, Class::Orders), 300, MINUTE),
        (Subject::Address([10, 0, 0, 1].into()), 1_000, MINUTE),
    ];
    for (seed, (subject, most, length)) in (11..).zip(subjects) {
        let mut random = Random(u64::wrapping_mul(seed, 0x9E37_79B9_7F4A_7C15));
        let (mut exact, mut ours) = (Log::default(), Log::default());
        let (mut asked, mut admitted, mut exactly, mut largest) = (0_u64, 0_u64, 0_u64, 0);
        // Some windows long: bursts at up to four times the rate, then a pause.
        let end = cluster.now() + 3 * length;
        while cluster.now() < end {
            let pace = length / u64::from(most) * 10 / (15 + random.below(30));
            for _ in 0..random.below(u64::from(most)) {
                cluster.pass(1 + random.below(2 * pace));
                asked += 1;
                let now = cluster.now();
                exactly += u64::from(exact.admit(most, length, now));
                let gateway = random.skewed(GATEWAYS as u64) as usize;
                if cluster.ask(gateway, subject, most).await {
                    admitted += 1;
                    ours.0.push_back(now);
                    largest = largest.max(ours.count(length, now));
                }
            }
            cluster.pass(random.below(length / 8));
        }
        let off = admitted.abs_diff(exactly);
        println!("{subject:?}, seed {seed}: {asked} asked, {exactly} exactly, {admitted} admitted");
        assert!(asked > exactly + exactly / 10, "seed {seed} hardly refuses");
        assert!(off * 100 <= exactly, "seed {seed}: {admitted} admitted, {exactly} exactly");
        assert!(largest * 200 <= most as usize * 201, "seed {seed}: {largest} in a window");
    }
    let (answered, failed) = cluster.gateways[0].asked();
    assert!(answered > 0 && failed == 0 && cluster.all_are(Standing::Closed));
}

#[tokio::test]
async fn most_admissions_under_a_large_limit_ask_nobody() {
    let redis = Redis::start();
    let cluster = Cluster::new(&redis);
    for _ in 0..10_000 {
        cluster.pass(MILLI);
        assert!(cluster.ask(0, Subject::All, 100_000).await);
    }
    let (answered, _) = cluster.gateways[0].asked();
    assert!((200..250).contains(&answered), "{answered} questions");
}

#[tokio::test]
async fn who_waits_as_told_is_admitted_and_nobody_asks_meanwhile() {
    let redis = Redis::start();
    let cluster = Cluster::new(&redis);
    let subject = Subject::Address([10, 0, 0, 2].into());
    for number in 0..300 {
        cluster.pass(50 * MILLI);
        assert!(cluster.ask(number % GATEWAYS, subject, 300).await);
    }
    let refusal = cluster.gateways[3].admit(subject, 300).await.unwrap_err();
    assert_eq!((refusal.level, refusal.limit), (Level::Address, 300));
    assert!((45..=46).contains(&refusal.seconds()), "{refusal:?}");
    let before = cluster.gateways[3].asked();
    for _ in 0..1_000 {
        assert!(!cluster.ask(3, subject, 300).await);
    }
    assert_eq!(cluster.gateways[3].asked(), before);
    assert!(cluster.ask(3, subject, 400).await, "its tier has risen");
    cluster.pass(refusal.wait + SECOND);
    assert!(cluster.ask(3, subject, 300).await);
}

#[tokio::test]
async fn without_redis_each_gateway_keeps_to_its_share_and_with_it_all_share_again() {
    let mut redis = Redis::start();
    let cluster = Cluster::new(&redis);
    let subject = Subject::Address([10, 0, 0, 3].into());
    let ask_all = async |times: usize| {
        let mut admitted = BTreeMap::<usize, u32>::new();
        for number in 0..times {
            cluster.pass(MILLI / 10);
            let gateway = number % GATEWAYS;
            if cluster.ask(gateway, subject, 1_000).await {
                *admitted.entry(gateway).or_default() += 1;
            }
        }
        admitted
    };
    assert_eq!(ask_all(500).await.values().sum::<u32>(), 500);
    redis.kill();
    // Each has admitted 50 of its share of 100.
    let alone = ask_all(5_000).await;
    assert!(alone.values().all(|&admitted| admitted == 50), "{alone:?}");
    assert!(!cluster.all_are(Standing::Closed));
    redis.begin();
    cluster.recovers().await;
    // This Redis knows nothing; the gateways do, and a window is full.
    let told = ask_all(2_000).await;
    assert!(told.values().sum::<u32>() <= 10, "{told:?}");
    cluster.pass(MINUTE + SECOND);
    let again = ask_all(3_000).await;
    assert_eq!(again.values().sum::<u32>(), 1_000, "{again:?}");
    // One gateway alone may have all of it then.
    cluster.pass(MINUTE + SECOND);
    let mut admitted = 0;
    for _ in 0..1_500 {
        admitted += u32::from(cluster.ask(7, subject, 1_000).await);
    }
    assert_eq!(admitted, 1_000);
}

#[tokio::test]
async fn a_redis_that_does_not_answer_holds_up_a_few_requests_and_no_more() {
    // It takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("redis://{}", silent.local_addr().unwrap());
    let settings = SharedLimits::new(&address, 4).unwrap();
    let together = Together::new(&settings, 100);
    let subject = Subject::Address([10, 0, 0, 4].into());
    let mut admitted = 0;
    for _ in 0..1_000 {
        admitted += u32::from(together.admit(subject, 100).await.is_ok());
    }
    assert_eq!(admitted, 25);
    let (answered, failed) = together.asked();
    assert!(answered == 0 && (5..100).contains(&failed), "{failed} were held up");
}

#[tokio::test]
async fn weights_orders_and_bans_of_the_dialect_are_those_of_all_gateways() {
    let mut redis = Redis::start();
    let cluster = Cluster::new(&redis);
    let weigher = |it: &Arc<_>| Weights::new(100, Some(Arc::clone(it)), cluster.clock());
    let weights: Vec<_> = cluster.gateways.iter().map(weigher).collect();
    let source = Some([10, 0, 0, 5].into());
    let begun = cluster.now().next_multiple_of(5 * MINUTE);
    cluster.now.store(begun, Ordering::SeqCst);
    for (number, weights) in weights.iter().enumerate() {
        weights.charge(source, 600, WHOLE).await.unwrap();
        assert_eq!(weights.used(source), 600 * (number as u32 + 1), "the sum of all is stated");
    }
    for number in 0..100 {
        let refusal = weights[number % GATEWAYS].charge(source, 1, WHOLE).await.unwrap_err();
        assert_eq!((refusal.level, refusal.seconds()), (Level::Weight, 60));
    }
    for weights in &weights {
        let refusal = weights.charge(source, 1, WHOLE).await.unwrap_err();
        assert_eq!((refusal.level, refusal.seconds()), (Level::Banned, 120));
    }
    redis.kill();
    let banned = weights[0].charge(source, 1, WHOLE).await.unwrap_err();
    assert_eq!(banned.level, Level::Banned, "without Redis too");
    // Without Redis each has a tenth.
    let other = Some([10, 0, 0, 6].into());
    for weights in &weights {
        weights.charge(other, 600, WHOLE).await.unwrap();
        assert_eq!(weights.used(other), 600);
        assert!(weights.charge(other, 1, WHOLE).await.is_err());
    }
    redis.begin();
    cluster.recovers().await;
    for weights in &weights {
        weights.charge(other, 0, WHOLE).await.unwrap();
        let told = weights.used(other);
        assert_eq!(told % 600, 0, "{told}");
    }
    assert_eq!(weights[3].charge(other, 1, WHOLE).await.unwrap_err().level, Level::Weight);

    let counter = |it: &Arc<_>| OrderCounts::new(100, Some(Arc::clone(it)), cluster.clock());
    let orders: Vec<_> = cluster.gateways.iter().map(counter).collect();
    let account = AccountId(7);
    for number in 0..100 {
        let counted = orders[number % GATEWAYS].count(account, 1, WHOLE).await.unwrap();
        assert_eq!(counted.ten_seconds as usize, number + 1);
    }
    let refusal = orders[4].count(account, 1, WHOLE).await.unwrap_err();
    assert_eq!((refusal.level, refusal.limit), (Level::TenSeconds, 100));
    // As the thread that feeds streams hears of it.
    std::thread::scope(|scope| _ = scope.spawn(|| orders[2].first_fill(account)));
    let since = Instant::now();
    while orders[4].count(account, 1, WHOLE).await.is_err() {
        assert!(since.elapsed() < PATIENCE, "a filled order still counts");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    cluster.pass(10 * SECOND);
    let later = orders[4].count(account, 1, WHOLE).await.unwrap();
    assert_eq!((later.ten_seconds, later.day), (1, 101));
}

/// What a decision costs; prints figures, and holds nothing against them.
#[tokio::test]
async fn figures_of_a_decision() {
    let redis = Redis::start();
    let local = crate::limits::Rates::new(RateLimits {
        address_per_minute: u32::MAX,
        all_per_second: u32::MAX,
        ..RateLimits::default()
    });
    let source = Some([10, 0, 0, 8].into());
    let begun = Instant::now();
    for _ in 0..100_000 {
        local.request(Profile::Standard, source).await.unwrap();
    }
    println!("in process, address and all: {:?}", begun.elapsed() / 100_000);
    let together = Together::new(&redis.settings(), 1_000);
    for (what, most, times) in [("each asks", 1_000, 1_000), ("one in 50 asks", 100_000, 50_000)] {
        let subject = Subject::Address([10, 0, 0, most as u8].into());
        let begun = Instant::now();
        for _ in 0..times {
            together.admit(subject, most).await.unwrap();
        }
        println!("over Redis, {what}: {:?}", begun.elapsed() / times);
    }
}
