//! What an endpoint is, what its handler is given, and what it answers.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use axum::http::Method;
use serde::Serialize;
use store::Permissions;
use types::{AccountId, Timestamp};
use views::MarketInfo;

use super::error::Error;
use super::limits::{OrderCount, Source};
use super::params::Params;
use super::render::TimeUnit;
use super::symbols;
use crate::auth::Caller;
use crate::cache::{Kept, Life, Made};
use crate::history;
use crate::limits::Class;
use crate::min_seq;
use crate::shedding::Kind;
use crate::state::Shared;

/// One line of the table.
pub(crate) struct Endpoint {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub(crate) method: Method,
    /// Its path.
    pub(crate) path: &'static str,
    /// Where it answers as well.
    pub(crate) alias: Option<&'static str>,
    /// Who may call it.
    pub(crate) security: Security,
    /// What a call costs.
    pub(crate) weight: fn(&Params) -> u32,
    /// Calls that succeed cost nothing.
    pub(crate) is_free: bool,
    /// For how long an answer is given to everybody, if it is the same for all.
    pub(crate) life: Option<Life>,
    /// The parameters that such an answer depends on. Its handler is given no others.
    pub(crate) names: &'static [&'static str],
    /// The handler.
    pub(crate) run: fn(Call) -> Running,
}

/// Who may call an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    /// Everybody; a key is not looked at.
    Public,
    /// Whoever names a key that may read. Nothing is signed.
    KeyOnly,
    /// Whoever signs by a key that may read.
    Read,
    /// Whoever signs by a key that may trade.
    Trade,
}

impl Security {
    /// What a call by this method is, as far as admission goes.
    fn kind(self, method: &Method) -> Kind {
        match self {
            Self::Public => Kind::PublicRead,
            Self::Read => Kind::PrivateRead,
            Self::Trade if method != Method::DELETE => Kind::Order,
            Self::Trade | Self::KeyOnly => Kind::Spared,
        }
    }

    /// Whether a caller has the permission.
    pub(crate) fn admits(self, caller: Option<&Caller>) -> bool {
        let has = |permitted: fn(&Permissions) -> bool| {
            caller.is_some_and(|caller| caller.account.is_some() && permitted(&caller.permissions))
        };
        match self {
            Self::Public => true,
            Self::KeyOnly | Self::Read => has(|may| may.read),
            Self::Trade => has(|may| may.trade),
        }
    }
}

/// A handler's answer under way.
pub(crate) type Running = Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send>>;

/// A request that was let in.
pub(crate) struct Call {
    /// The gateway.
    pub(crate) shared: Arc<Shared>,
    /// What was asked.
    pub(crate) params: Params,
    /// By whom; nobody on public endpoints.
    pub(crate) caller: Option<Caller>,
    /// What times are told in.
    pub(crate) unit: TimeUnit,
    /// When.
    pub(crate) now: Timestamp,
}

impl Call {
    /// Whose key it is. Endpoints that are public have no business here.
    ///
    /// # Errors
    /// -2015.
    pub(crate) fn account(&self) -> Result<AccountId, Error> {
        let caller = self.caller.as_ref();
        caller.and_then(|caller| caller.account).ok_or_else(Error::not_permitted)
    }

    /// When a command of this request is worth nothing any more.
    pub(crate) fn valid_until(&self) -> Timestamp {
        self.caller.as_ref().map_or(self.now, |caller| caller.valid_until)
    }

    /// The market that the mandatory `symbol` names.
    ///
    /// # Errors
    /// -1102, -1100 or -1121.
    pub(crate) fn market(&self) -> Result<Arc<MarketInfo>, Error> {
        symbols::market(&self.shared.views, self.params.required("symbol")?)
    }

    /// The market that `symbol` names, if it is there.
    ///
    /// # Errors
    /// -1105, -1100 or -1121.
    pub(crate) fn market_if_named(&self) -> Result<Option<Arc<MarketInfo>>, Error> {
        let name = self.params.text("symbol")?;
        name.map(|name| symbols::market(&self.shared.views, name)).transpose()
    }

    /// Waits until the history shows what anybody was answered before, or after the bound what the caller wrote.
    ///
    /// # Errors
    /// -1001 if that is not there in time.
    pub(crate) async fn history_settled(&self) -> Result<AccountId, Error> {
        let account = self.account()?;
        let marks = self.shared.catch_up.answered();
        if history::watermarks(&self.shared, account, marks).await.is_err() {
            history::watermarks(&self.shared, account, Vec::new()).await?;
        }
        Ok(account)
    }

    /// Waits for the entries that `min_seq` names, as in the native API.
    ///
    /// # Errors
    /// -1001 if the views do not show them in time, -1100 for what is no entry.
    async fn reach_min_seq(&self) -> Result<(), Error> {
        let Some(text) = self.params.text("min_seq")? else {
            return Ok(());
        };
        let treasury = self.shared.exchange.topology().treasury;
        let own = self.market_if_named()?.map_or(treasury, |market| market.def.home);
        let marks = min_seq::marks(&self.shared, own, Some(text))?;
        Ok(self.shared.catch_up.reach_all(&marks).await?)
    }

    /// Waits until the views show what the caller wrote.
    ///
    /// # Errors
    /// -1001 if they do not in time.
    pub(crate) async fn caught_up(&self) -> Result<AccountId, Error> {
        let account = self.account()?;
        self.shared.catch_up.own_writes(account).await?;
        Ok(account)
    }
}

/// What a handler answers.
pub(crate) struct Answer {
    /// JSON.
    pub(crate) json: Vec<u8>,
    /// Where in it the time of the answer stands.
    pub(crate) clock: Option<Range<usize>>,
    /// The caller's unfilled orders, if it placed some.
    pub(crate) orders: Option<OrderCount>,
}

impl Answer {
    /// `value` as JSON.
    ///
    /// # Errors
    /// None: plain structs of texts and numbers always serialize.
    pub(crate) fn of(value: &impl Serialize) -> Result<Self, Error> {
        let json = serde_json::to_vec(value).expect("plain structs of texts and numbers");
        Ok(Self { json, clock: None, orders: None })
    }

    /// The number under this name, which stands in it once, is the time of the answer.
    pub(crate) fn telling_time(mut self, name: &str) -> Self {
        let name = format!("\"{name}\":");
        let found = self.json.windows(name.len()).position(|text| text == name.as_bytes());
        self.clock = found.map(|at| {
            let begin = at + name.len();
            let digits = self.json[begin..].iter().take_while(|byte| byte.is_ascii_digit());
            begin..begin + digits.count()
        });
        self
    }

    /// With the caller's unfilled orders.
    pub(crate) fn with_orders(mut self, count: OrderCount) -> Self {
        self.orders = Some(count);
        self
    }
}

impl Endpoint {
    /// A line of the table.
    pub(crate) const fn new(
        method: Method,
        path: &'static str,
        security: Security,
        weight: fn(&Params) -> u32,
        run: fn(Call) -> Running,
    ) -> Self {
        let (alias, is_free, life, names) = (None, false, None, &[] as &[&str]);
        Self { method, path, alias, security, weight, is_free, life, names, run }
    }

    /// The same under another path as well.
    pub(crate) const fn also(mut self, path: &'static str) -> Self {
        self.alias = Some(path);
        self
    }

    /// The same, with answers that are kept, one for each question by the parameters of these names.
    pub(crate) const fn kept(mut self, life: Life, names: &'static [&'static str]) -> Self {
        (self.life, self.names) = (Some(life), names);
        self
    }

    /// The same, free when it succeeds.
    pub(crate) const fn free(mut self) -> Self {
        self.is_free = true;
        self
    }

    /// Whether requests are taken now; asked before anything else is done.
    ///
    /// # Errors
    /// -1008: nothing of it may be begun.
    pub(crate) fn admit(&self, shared: &Shared) -> Result<(), Error> {
        Ok(shared.shedding.admit(self.security.kind(&self.method))?)
    }

    /// Lets a caller in, whose signature was verified if it needs one, and runs the handler.
    ///
    /// # Errors
    /// -2015, a limit of the key, or what the handler says.
    pub(crate) async fn answer(&self, call: Call) -> Result<Answer, Error> {
        if !self.security.admits(call.caller.as_ref()) {
            return Err(Error::not_permitted());
        }
        // Anybody can name a key: only what is signed counts for it.
        if self.security != Security::KeyOnly
            && let Some(caller) = &call.caller
        {
            let (shared, class) = (&call.shared, self.class());
            let tier = || shared.tier(caller.account);
            shared.limiter.signed(&caller.key, class, tier).await?;
        }
        if self.method == Method::GET {
            call.shared.catch_up.settled().await;
        }
        if self.life.is_some() {
            call.reach_min_seq().await?;
        }
        (self.run)(call).await
    }

    /// For how long the answer to a question is kept.
    pub(crate) fn life_of(&self, params: &Params) -> Option<Life> {
        self.life.filter(|_| params.get("min_seq").is_none())
    }

    /// The answer that everybody is given now, over HTTP and over sockets.
    ///
    /// # Errors
    /// As [`Self::answer`].
    pub(crate) async fn kept_answer(
        &self,
        mut call: Call,
        life: Life,
        source: Source,
    ) -> Result<Arc<Kept>, Error> {
        call.params.keep(self.names);
        let question = format!("{} {:?} {}", self.path, call.unit, call.params.question());
        let shared = Arc::clone(&call.shared);
        let make = async {
            let Answer { json, clock, .. } = self.answer(call).await?;
            Ok::<_, Error>(Made { body: json.into(), clock })
        };
        shared.answers.get(&question, life, source, make).await
    }

    /// As limits of keys go.
    fn class(&self) -> Class {
        let places = self.security == Security::Trade && self.method != Method::DELETE;
        if places { Class::Orders } else { Class::Other }
    }
}
