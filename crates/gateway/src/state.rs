//! What all requests and sockets of a gateway share, and the one way a command takes from here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use node::{Exchange, ReplySink};
use store::{Store, StoreError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use types::{AccountId, Event, RejectCode, ReplyTo, Request, Timestamp};
use views::Views;

use crate::admin::Outbox;
use crate::auth::Authenticator;
use crate::binance::{AmendedNames, CancelNames, Limiter, ListenKeys};
use crate::breaker::Breaker;
use crate::cache::Answers;
use crate::config::{GatewayConfig, Limits};
use crate::demo::DemoKey;
use crate::error::{ApiError, GatewayCode};
use crate::http::metrics::Metrics;
use crate::http::pair_metrics::Labels;
use crate::http::stages::Stages;
use crate::limits::{Class, Clock, Held, Level, Rates};
use crate::outcome::{Outcome, account_of};
use crate::pending::Pending;
use crate::shedding::Shedding;
use crate::spans::{Command, Tracer};
use crate::watermarks::CatchUp;
use crate::ws::FanOut;

/// Failures in a row after which a database is left alone.
const MOST_FAILURES: u32 = 5;
/// For so long.
const PAUSE: Duration = Duration::from_secs(2);

/// Shared state of a gateway.
pub(crate) struct Shared {
    /// Settings.
    pub(crate) config: GatewayConfig,
    /// Takes commands.
    pub(crate) exchange: Arc<dyn Exchange>,
    /// What reads are answered from.
    pub(crate) views: Arc<Views>,
    /// Keys and history.
    pub(crate) store: Arc<Store>,
    /// Verifies signatures.
    pub(crate) auth: Authenticator,
    /// The key that browsers of a demonstration exchange share.
    pub(crate) demo: Option<DemoKey>,
    /// Held while an asset or a market is defined: ids are given one after the other.
    pub(crate) defining: tokio::sync::Mutex<()>,
    /// External transfers, one at a time.
    pub(crate) outbox: Outbox,
    /// Figures.
    pub(crate) metrics: Metrics,
    /// Waits for views, and knows what each account wrote last.
    pub(crate) catch_up: CatchUp,
    /// Whether the SQL history is read.
    pub(crate) history: Breaker,
    /// Whether the directory of names, keys and references is used.
    pub(crate) directory: Breaker,
    /// Weighs requests and counts orders of the Binance dialect.
    pub(crate) limiter: Arc<Limiter>,
    /// Makes spans, if tracing is on.
    pub(crate) tracer: Option<Arc<Tracer>>,
    /// The WebSocket connections of each address.
    pub(crate) held_sockets: Arc<Held>,
    /// Limits how fast clients may ask.
    pub(crate) rates: Arc<Rates>,
    /// Refuses while requests wait.
    pub(crate) shedding: Arc<Shedding>,
    /// Answers that are the same for everybody.
    pub(crate) answers: Answers,
    /// Names under which accounts' events can be heard in the Binance dialect.
    pub(crate) listen_keys: ListenKeys,
    /// What clients of the Binance dialect call their cancels.
    pub(crate) cancel_names: Arc<CancelNames>,
    /// What they call the orders that they amended.
    pub(crate) amended_names: AmendedNames,
    /// Whether the gateway was told to end: it still serves.
    pub(crate) leaving: AtomicBool,
    /// Cancelled when the gateway begins to shut down: sockets say goodbye and end.
    pub(crate) closing: CancellationToken,
    /// Feeds the views and the sockets.
    pub(crate) fan_out: Arc<FanOut>,
    /// The tasks of sockets: a shutdown waits for them.
    pub(crate) sockets: TaskTracker,
    pending: Arc<Pending>,
    session: u64,
}

impl Shared {
    pub(crate) fn new(
        config: GatewayConfig,
        exchange: Arc<dyn Exchange>,
        views: Arc<Views>,
        store: Arc<Store>,
    ) -> Result<Arc<Self>, StoreError> {
        let auth = Authenticator::load(&store)?;
        let demo = DemoKey::issue(&config, &auth)?;
        let pending = Arc::new(Pending::new(config.limits.pending));
        let session = exchange.open_session(Arc::clone(&pending) as Arc<dyn ReplySink>);
        let tracer = config.tracing.as_ref().map(|tracing| Arc::new(Tracer::new(tracing)));
        let metrics = Metrics::new(tracer.clone());
        let rates = Arc::new(Rates::new(config.rates.clone()));
        let Limits { sockets, address_percent, .. } = config.limits;
        let (profile, remembered) = (config.rates.dialect, config.rates.remembered);
        let limiter = Arc::new(Limiter::new(
            profile,
            remembered,
            Arc::clone(&rates),
            Clock::from_now(exchange.now()),
        ));
        let (pairs, told) = (&metrics.pairs, Arc::clone(&limiter));
        let fan_out = FanOut::new(Arc::clone(&exchange), &views, pairs, told, &config.limits);
        Ok(Arc::new(Self {
            auth,
            demo,
            catch_up: CatchUp::new(Arc::clone(&views), config.limits.watermark_timeout),
            defining: tokio::sync::Mutex::new(()),
            outbox: Outbox::default(),
            metrics,
            limiter,
            tracer,
            held_sockets: Held::new(sockets, address_percent, Level::HeldSockets),
            rates,
            history: Breaker::new("history", MOST_FAILURES, PAUSE),
            directory: Breaker::new("directory", MOST_FAILURES, PAUSE),
            shedding: Arc::new(Shedding::new(config.limits.shed_above)),
            answers: Answers::new(Arc::clone(&views)),
            listen_keys: ListenKeys::default(),
            cancel_names: Arc::default(),
            amended_names: AmendedNames::default(),
            fan_out,
            leaving: AtomicBool::new(false),
            closing: CancellationToken::new(),
            sockets: TaskTracker::new(),
            config,
            exchange,
            views,
            store,
            pending,
            session,
        }))
    }

    /// Submits a command and waits for its answer. A rejection is an error; so is no answer in time,
    /// whose outcome nobody knows.
    ///
    /// # Errors
    /// The reject code, or as [`Self::ask`].
    pub(crate) async fn submit(
        &self,
        valid_until: Timestamp,
        request: Request,
    ) -> Result<Outcome, ApiError> {
        let outcome = self.ask(valid_until, request).await?;
        match rejection(&outcome.answer) {
            Some(rejection) => Err(rejection),
            None => Ok(outcome),
        }
    }

    /// Submits a command and waits for its answer, which may be a rejection.
    ///
    /// # Errors
    /// The exchange refuses commands, or [`GatewayCode::TooManyPending`], [`GatewayCode::ShuttingDown`]
    /// (in all these cases nothing was done), or [`GatewayCode::OutcomeUnknown`].
    pub(crate) async fn ask(
        &self,
        valid_until: Timestamp,
        request: Request,
    ) -> Result<Outcome, ApiError> {
        let mut outcomes = self.ask_all(vec![(valid_until, request)]).await;
        outcomes.pop().expect("one for each command")
    }

    /// Submits commands, each with its own `valid_until`, and waits for all answers: in their order, each as that
    /// of [`Self::ask`]. They have nothing to do with each other.
    ///
    /// # Panics
    /// For more than [`MOST_TOGETHER`](crate::pending::MOST_TOGETHER): a mistake of this crate.
    pub(crate) async fn ask_all(
        &self,
        commands: Vec<(Timestamp, Request)>,
    ) -> Vec<Result<Outcome, ApiError>> {
        let count = commands.len();
        let none = |why: GatewayCode| (0..count).map(|_| Err(why.into())).collect();
        if count == 0 || self.closing.is_cancelled() {
            return none(GatewayCode::ShuttingDown);
        }
        let are_cancels = commands.iter().all(|(_, request)| request.is_cancel());
        let Some(waiting) = self.pending.wait(count, are_cancels) else {
            return none(GatewayCode::TooManyPending);
        };
        let begin = Instant::now();
        let submit = |(number, (valid_until, request)): (usize, (Timestamp, Request))| {
            let labels = Labels::of(&request);
            let reply = ReplyTo::new(self.session, waiting.token(number));
            let submitted = self.exchange.submit(reply, valid_until, request);
            submitted.inspect_err(|_| waiting.not_taken(number)).map(|()| labels)
        };
        let submitted: Vec<_> = commands.into_iter().enumerate().map(submit).collect();
        let answers = waiting.answers(self.config.limits.answer_timeout).await;
        let woken = Instant::now();
        let answers = answers.into_iter().chain(std::iter::repeat_with(|| None));
        let outcome = |(submitted, answer): (Result<_, RejectCode>, Option<Outcome>)| {
            let labels = submitted?;
            let outcome = answer.ok_or_else(|| {
                self.metrics.outcomes_unknown.fetch_add(1, Ordering::Relaxed);
                GatewayCode::OutcomeUnknown
            })?;
            self.answered(&outcome, labels, begin, woken);
            Ok(outcome)
        };
        submitted.into_iter().zip(answers).map(outcome).collect()
    }

    /// A command that was submitted at `begin` is answered; the request goes on at `woken`.
    fn answered(
        &self,
        outcome: &Outcome,
        labels: [Option<Labels>; 2],
        begin: Instant,
        woken: Instant,
    ) {
        self.metrics.answers.observe(woken - begin);
        let stages = Stages::of(begin, &outcome.batch, woken);
        self.metrics.stages.answered(stages);
        stages.note();
        if let Some(tracer) = &self.tracer {
            let (partition, seq) = (outcome.partition, outcome.seq);
            let batch = outcome.batch;
            tracer.answered(&Command { submitted: begin, batch, woken, partition, seq });
        }
        for labels in labels.into_iter().flatten() {
            self.metrics.pairs.answered(labels, woken - begin, outcome, &self.views);
        }
        if let Some(account) = account_of(&outcome.answer) {
            self.catch_up.wrote(account, outcome);
        }
    }

    /// Counts a native request for the key that signed it.
    ///
    /// # Errors
    /// [`GatewayCode::RateLimited`].
    pub(crate) async fn charge(
        &self,
        key: &Arc<str>,
        account: Option<AccountId>,
        class: Class,
    ) -> Result<(), ApiError> {
        let tier = || self.tier(account);
        Ok(self.rates.signed(self.config.rates.native, key, class, tier).await?)
    }

    /// The fee tier of an account, which its limits go by; the highest for operators.
    pub(crate) fn tier(&self, account: Option<AccountId>) -> u8 {
        match account {
            Some(account) => self.views.account_fees(account).map_or(0, |fees| fees.tier),
            None => u8::MAX,
        }
    }

    /// Those of everything that the gateway depends on and that may fail while it goes on.
    pub(crate) fn breakers(&self) -> impl Iterator<Item = &Breaker> + Clone {
        let redis = self.rates.together().map(|together| together.breaker());
        let collector = self.tracer.as_ref().map(|tracer| &tracer.breaker);
        [&self.history, &self.directory].into_iter().chain(redis).chain(collector)
    }

    /// How many commands wait for their answer.
    pub(crate) fn pending(&self) -> usize {
        self.pending.len()
    }
}

/// The error of an answer, if it is a rejection.
pub(crate) fn rejection(answer: &Event) -> Option<ApiError> {
    match *answer {
        Event::Rejected { code, .. } => Some(code.into()),
        Event::Repeated { outcome: Err(code), .. } => {
            Some(ApiError::from(code).detail(format!("{} (repeated answer)", code.text())))
        }
        _ => None,
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.exchange.close_session(self.session);
    }
}
