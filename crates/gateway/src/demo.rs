//! The key that browsers of a demonstration exchange share. It lives in memory only.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use store::{Permissions, StoreError};

use crate::auth::{Authenticator, issue_hmac};
use crate::config::GatewayConfig;
use crate::error::{ApiError, GatewayCode};
use crate::http::Routes;
use crate::state::Shared;
use crate::wire::answer::DemoSession;
use crate::wire::error::ErrorBody;

/// Reads and trades; it can move no funds away.
const PERMISSIONS: Permissions =
    Permissions { read: true, trade: true, withdraw: false, admin: false };

pub(crate) fn routes(routes: Routes) -> Routes {
    routes.get("/v1/demo/session", get_demo_session)
}

/// The shared key.
pub(crate) struct DemoKey {
    session: DemoSession,
}

impl DemoKey {
    /// Makes the key, if the configuration has a demo account.
    pub(crate) fn issue(
        config: &GatewayConfig,
        auth: &Authenticator,
    ) -> Result<Option<Self>, StoreError> {
        let Some(demo) = &config.demo else {
            return Ok(None);
        };
        let issued = issue_hmac()?;
        auth.add_ephemeral(&issued, demo.account, PERMISSIONS);
        Ok(Some(Self {
            session: DemoSession {
                account: demo.account.0,
                key: issued.key_id,
                secret: issued.secret,
            },
        }))
    }
}

/// A ready API key of the demo account. Only a demonstration exchange has one.
#[utoipa::path(
    get, path = "/v1/demo/session", tag = "Account",
    responses((status = 200, body = DemoSession), (status = "default", body = ErrorBody)),
)]
pub(crate) async fn get_demo_session(
    State(shared): State<Arc<Shared>>,
) -> Result<Json<DemoSession>, ApiError> {
    let demo = shared.demo.as_ref().ok_or(GatewayCode::NotAvailable)?;
    Ok(Json(demo.session.clone()))
}
