//! A server that sends back what it is sent.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use websocket::{CloseFrame, Connection, Incoming, ReadError, Settings, Text, Upgrade};

/// Serves for ever.
pub async fn serve(listener: TcpListener, settings: Settings) {
    let routes = Router::new().fallback(any(async move |request| open(request, settings)));
    // An answer does not wait until the one before it has been acknowledged.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, routes).await.expect("a listener");
}

fn open(request: Request, settings: Settings) -> Response {
    let (mut parts, _) = request.into_parts();
    match Upgrade::read(&mut parts) {
        Ok(upgrade) => upgrade.accept(settings, Arc::default(), async |connection| {
            // It ends when the client breaks off: its own affair.
            let _ = echo(connection).await;
        }),
        Err(refused) => (StatusCode::BAD_REQUEST, refused.to_string()).into_response(),
    }
}

async fn echo((mut reader, mut writer): Connection) -> io::Result<()> {
    let mut goodbye = None;
    while let Some(incoming) = reader.next().await {
        match incoming {
            Ok(Incoming::Text(text)) => writer.feed(&Text::from(text)).await?,
            Ok(Incoming::Binary(content)) => writer.feed_binary(content).await?,
            Ok(Incoming::Ping(content)) => writer.feed_pong(content).await?,
            Ok(Incoming::Pong(_)) => {}
            Ok(Incoming::Close(frame)) => goodbye = Some(frame),
            Err(ReadError::Violation(violation)) => {
                let (code, reason) = (violation.code(), violation.to_string());
                goodbye = Some(Some(CloseFrame { code, reason }));
            }
            Err(ReadError::Io(error)) => return Err(error),
        }
        writer.flush().await?;
    }
    if let Some(frame) = goodbye {
        writer.close(frame.as_ref()).await?;
    }
    writer.shutdown().await?;
    reader.drain().await;
    Ok(())
}
